package io.aerostat.virtio.queue;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a split queue is, in plain collections: buffers that move from the driver's staging to the
 * available ones, into the device's work, to its staging, to the used ones, and back.
 */
final class QueueModel {
    /** A buffer: what was put in, and how many descriptors of the ring it takes. */
    record Buffer(int head, List<String> elements, int descriptors, long writable) {}

    /** A used element. */
    record Used(int head, long length) {}

    private final boolean eventIdx;

    private final Map<Integer, Buffer> out = new LinkedHashMap<>();
    private final List<Buffer> added = new ArrayList<>();
    private final Deque<Buffer> available = new ArrayDeque<>();
    private final List<Buffer> inWork = new ArrayList<>();
    private final List<Used> completed = new ArrayList<>();
    private final Deque<Used> used = new ArrayDeque<>();

    private int freeDescriptors;

    /** Free-running, not modulo 65536: the ring's indices are these modulo 65536. */
    private long availableCount;

    private long takenCount;
    private long usedCount;
    private long returnedCount;

    private boolean kickUnwanted;
    private boolean interruptUnwanted;
    private final Set<Integer> kickAt = new HashSet<>(Set.of(0));
    private final Set<Integer> interruptAt = new HashSet<>(Set.of(0));

    QueueModel(int size, boolean eventIdx) {
        this.freeDescriptors = size;
        this.eventIdx = eventIdx;
    }

    // ---- driver

    int freeDescriptors() {
        return freeDescriptors;
    }

    int inFlight() {
        return out.size();
    }

    boolean isOut(int head) {
        return out.containsKey(head);
    }

    void add(Buffer buffer) {
        freeDescriptors -= buffer.descriptors();
        out.put(buffer.head(), buffer);
        added.add(buffer);
    }

    /** Publishes all that was added; whether the device wants a kick, by the rule per entry. */
    boolean publishAdded() {
        boolean kick = false;
        for (Buffer buffer : added) {
            kick |= kickAt.contains((int) (availableCount % 65536));
            available.add(buffer);
            availableCount++;
        }
        boolean any = !added.isEmpty();
        added.clear();
        return any && (eventIdx ? kick : !kickUnwanted);
    }

    /** The next used buffer, or null. */
    Used takeBack() {
        Used next = used.poll();
        if (next != null) {
            freeDescriptors += out.remove(next.head()).descriptors();
            returnedCount++;
        }
        return next;
    }

    void driverDisarms() {
        interruptUnwanted = true;
    }

    /** Whether there is something to take back. */
    boolean driverArms() {
        interruptUnwanted = false;
        interruptAt.clear();
        interruptAt.add((int) (returnedCount % 65536));
        return !used.isEmpty();
    }

    // ---- device

    /** The next available buffer, or null. */
    Buffer take() {
        Buffer next = available.poll();
        if (next != null) {
            inWork.add(next);
            takenCount++;
        }
        return next;
    }

    List<Buffer> inWork() {
        return inWork;
    }

    void complete(Buffer buffer, long length) {
        inWork.remove(buffer);
        completed.add(new Used(buffer.head(), length));
    }

    /** Publishes all that was completed; whether the driver wants an interrupt. */
    boolean publishCompleted() {
        boolean interrupt = false;
        for (Used element : completed) {
            interrupt |= interruptAt.contains((int) (usedCount % 65536));
            used.add(element);
            usedCount++;
        }
        boolean any = !completed.isEmpty();
        completed.clear();
        return any && (eventIdx ? interrupt : !interruptUnwanted);
    }

    void deviceDisarms() {
        kickUnwanted = true;
    }

    /** Whether there is something to take. */
    boolean deviceArms() {
        kickUnwanted = false;
        kickAt.clear();
        kickAt.add((int) (takenCount % 65536));
        return !available.isEmpty();
    }

    /** avail.idx as the ring must show it. */
    int availableIdx() {
        return (int) (availableCount % 65536);
    }

    /** used.idx as the ring must show it. */
    int usedIdx() {
        return (int) (usedCount % 65536);
    }
}
