package io.aerostat.memory.backend;

import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** Counts what a class logs, and keeps it off the console. */
public final class LogLines extends Handler implements AutoCloseable {
    private final Logger logger;
    private int count;
    private String last = "";

    /** Listens to the class {@code source}. */
    public LogLines(Class<?> source) {
        logger = Logger.getLogger(source.getName());
        logger.setUseParentHandlers(false);
        logger.addHandler(this);
    }

    /** Lines since the start. */
    public int count() {
        return count;
    }

    /** The newest line, or empty. */
    public String last() {
        return last;
    }

    @Override
    public void publish(LogRecord line) {
        count++;
        last = line.getMessage();
    }

    @Override
    public void flush() {}

    @Override
    public void close() {
        logger.removeHandler(this);
        logger.setUseParentHandlers(true);
    }
}
