package io.aerostat.guest.task;

import java.util.ArrayDeque;

/**
 * Where tasks sleep until something happens, in the order they came. Made by {@link
 * TaskTable#newWaitQueue}.
 *
 * <p>Its name is that of the kernel function its sleepers are in, such as {@code
 * folio_wait_bit_common}. Several queues may have one name.
 */
public final class WaitQueue {
    private final TaskTable tasks;
    private final String name;
    private final ArrayDeque<Task> sleepers = new ArrayDeque<>();

    WaitQueue(TaskTable tasks, String name) {
        this.tasks = tasks;
        this.name = name;
    }

    /** The kernel function that ps shows for its sleepers. */
    public String name() {
        return name;
    }

    /** How many tasks sleep here. */
    public int sleepers() {
        return sleepers.size();
    }

    /**
     * Wakes the task that sleeps here longest.
     *
     * @return false if none did
     */
    public boolean wakeOne() {
        Task first = sleepers.peekFirst();
        return first != null && tasks.wake(first);
    }

    /**
     * Wakes all that sleep here, in the order they came.
     *
     * @return how many
     */
    public int wakeAll() {
        // Counted first: a task that a wake-up sends back to sleep here is not woken again.
        int count = sleepers.size();
        for (int i = 0; i < count; i++) {
            wakeOne();
        }
        return count;
    }

    void add(Task task) {
        sleepers.addLast(task);
    }

    void remove(Task task) {
        sleepers.remove(task);
    }

    @Override
    public String toString() {
        return name + "(" + sleepers.size() + ")";
    }
}
