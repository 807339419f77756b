package io.aerostat.vmm.vhost;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;

/** What this project logs while it is open; it is not printed. Any thread. */
final class LogLines implements AutoCloseable {
    private final Logger logger = Logger.getLogger("io.aerostat");
    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final Handler handler = new Taker();

    LogLines() {
        logger.setUseParentHandlers(false);
        logger.addHandler(handler);
    }

    /** All lines of WARNING and above: level, blank, text. */
    List<String> all() {
        return List.copyOf(lines);
    }

    /** The lines so far, and from now on none of them. */
    List<String> take() {
        List<String> taken = all();
        lines.clear();
        return taken;
    }

    @Override
    public void close() {
        logger.removeHandler(handler);
        logger.setUseParentHandlers(true);
    }

    private final class Taker extends Handler {
        private final SimpleFormatter formatter = new SimpleFormatter();

        @Override
        public void publish(LogRecord line) {
            if (line.getLevel().intValue() >= Level.WARNING.intValue()) {
                lines.add(line.getLevel() + " " + formatter.formatMessage(line));
            }
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    }
}
