package io.aerostat.memory.backend;

import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** Counts what a class logs, and keeps it off the console. */
final class LogLines extends Handler implements AutoCloseable {
    private final Logger logger;
    private int count;

    LogLines(Class<?> source) {
        logger = Logger.getLogger(source.getName());
        logger.setUseParentHandlers(false);
        logger.addHandler(this);
    }

    int count() {
        return count;
    }

    @Override
    public void publish(LogRecord line) {
        count++;
    }

    @Override
    public void flush() {}

    @Override
    public void close() {
        logger.removeHandler(this);
        logger.setUseParentHandlers(true);
    }
}
