package io.aerostat.virtio.testkit;

import io.aerostat.virtio.device.DeviceController;

import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** Takes the log lines of all devices while it is open, so that they don't go to the console. */
public final class DeviceLog extends Handler implements AutoCloseable {
    private final Logger logger = Logger.getLogger(DeviceController.class.getName());
    private final List<LogRecord> lines = new ArrayList<>();

    public DeviceLog() {
        logger.setUseParentHandlers(false);
        logger.addHandler(this);
    }

    /** How many lines there were. */
    public synchronized int lineCount() {
        return lines.size();
    }

    @Override
    public synchronized void publish(LogRecord line) {
        lines.add(line);
    }

    @Override
    public void flush() {}

    @Override
    public void close() {
        logger.removeHandler(this);
        logger.setUseParentHandlers(true);
    }
}
