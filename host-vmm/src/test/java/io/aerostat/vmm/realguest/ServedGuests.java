package io.aerostat.vmm.realguest;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.aerostat.balloon.BalloonOptions;
import io.aerostat.vmm.linux.LinuxGuestOptions;
import io.aerostat.vmm.linux.LinuxPackages;

import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.LifecycleMethodExecutionExceptionHandler;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The guests of a test class. Those that it starts before its first test are shared and end with
 * the class; others end with their test.
 */
final class ServedGuests
        implements BeforeAllCallback,
                BeforeEachCallback,
                AfterEachCallback,
                AfterAllCallback,
                TestExecutionExceptionHandler,
                LifecycleMethodExecutionExceptionHandler {
    /** Room enough to show something; all of it is seldom used. */
    static final LinuxGuestOptions USUAL = LinuxGuestOptions.of(256L << 20);

    /** For tests that move few pages. */
    static final LinuxGuestOptions SMALL = LinuxGuestOptions.of(64L << 20);

    private record Open(ServedGuest guest, Leftovers before) {}

    private final Deque<Open> open = new ArrayDeque<>();
    private int shared;

    /** A back-end with these features, without a guest yet. */
    ServedGuest serve(long features) throws IOException {
        return serve(BalloonOptions.DEFAULT.withFeatures(features));
    }

    /** A back-end without a guest yet. */
    ServedGuest serve(BalloonOptions balloon) throws IOException {
        Leftovers before = Leftovers.now();
        ServedGuest guest = ServedGuest.serve("guest" + open.size(), balloon);
        open.push(new Open(guest, before));
        return guest;
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        LinuxPackages packages = LinuxPackages.search();
        assumeTrue(packages.isComplete(), "a Linux guest " + packages.remedy());
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        shared = open.size();
    }

    @Override
    public void afterEach(ExtensionContext context) throws Exception {
        closeDownTo(shared);
    }

    @Override
    public void afterAll(ExtensionContext context) throws Exception {
        closeDownTo(0);
    }

    private void closeDownTo(int size) throws Exception {
        if (open.size() <= size) {
            return;
        }
        Open last = open.pop();
        try {
            last.guest().end();
        } finally {
            closeDownTo(size);
        }
        last.before().awaitNothingMore();
    }

    @Override
    public void handleTestExecutionException(ExtensionContext context, Throwable failure)
            throws Throwable {
        throw withEvidence(failure);
    }

    @Override
    public void handleBeforeAllMethodExecutionException(ExtensionContext context, Throwable failure)
            throws Throwable {
        throw withEvidence(failure);
    }

    @Override
    public void handleBeforeEachMethodExecutionException(
            ExtensionContext context, Throwable failure) throws Throwable {
        throw withEvidence(failure);
    }

    private Throwable withEvidence(Throwable failure) {
        for (Open each : open) {
            failure.addSuppressed(new AssertionError(each.guest().evidence()));
        }
        return failure;
    }
}
