package io.aerostat.guest.task;

/**
 * What {@code ps -eo pid,stat,comm,wchan} prints.
 *
 * <pre>
 *   PID STAT COMMAND         WCHAN
 *     1 S    init            do_wait
 *     2 S    kthreadd        kthreadd
 *    45 D    java            folio_wait_bit_common
 *    46 Z    sh &lt;defunct&gt;    -
 * </pre>
 *
 * <p>The PID column has room for pids below {@link TaskTable#PID_LIMIT}, COMMAND for 15 characters.
 * A name is cut so that the mark of a zombie fits in; WCHAN, the last column, is never cut. Kernel
 * threads have no brackets here: ps puts them on when asked for {@code args}, not for {@code comm}.
 */
public final class ProcessListing {
    private static final int PID_WIDTH = 5;
    private static final int STAT_WIDTH = 4;
    private static final String DEFUNCT = " <defunct>";

    private ProcessListing() {}

    /** The listing of all tasks by ascending pid, a line each with its newline, headings first. */
    public static String of(TaskTable tasks) {
        StringBuilder text = new StringBuilder("  PID STAT COMMAND         WCHAN\n");
        for (Task task : tasks.tasks()) {
            String pid = Integer.toString(task.pid());
            text.append(" ".repeat(PID_WIDTH - pid.length())).append(pid).append(' ');
            appendPadded(text, String.valueOf(task.state().letter()), STAT_WIDTH);
            appendPadded(text, command(task), Task.NAME_LENGTH);
            text.append(task.wchan()).append('\n');
        }
        return text.toString();
    }

    private static String command(Task task) {
        if (task.state() != TaskState.ZOMBIE) {
            return task.name();
        }
        int room = Task.NAME_LENGTH - DEFUNCT.length();
        String name = task.name();
        return (name.length() <= room ? name : name.substring(0, room)) + DEFUNCT;
    }

    private static void appendPadded(StringBuilder text, String cell, int width) {
        text.append(cell).append(" ".repeat(width - cell.length() + 1));
    }
}
