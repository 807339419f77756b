/**
 * The guest's clock and tasks, as an administrator sees them: jiffies, task states, wait queues and
 * the listing that {@code ps} prints. A model on a virtual clock, not a scheduler: no Java thread
 * stands behind a task, and nothing runs by itself.
 *
 * <p>Knows time and tasks. Does not know memory, balloons, devices, or why a task sleeps.
 *
 * <p>Start with {@link io.aerostat.guest.task.TaskTable}, which makes tasks and moves them from
 * state to state; {@link io.aerostat.guest.task.TaskState} has the table of moves.
 *
 * <p>One thread's: the guest's.
 */
@NullMarked
package io.aerostat.guest.task;

import org.jspecify.annotations.NullMarked;
