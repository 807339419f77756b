package io.aerostat.vmm.thread;

import org.agrona.ErrorHandler;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.AgentRunner;

/** A thread that runs one agent until it is closed. */
public final class OwnerThread implements AutoCloseable {
    private static final int CLOSE_RETRY_MS = 20;

    private final AgentRunner runner;
    private final DoorbellIdle idle;

    private OwnerThread(AgentRunner runner, DoorbellIdle idle) {
        this.runner = runner;
        this.idle = idle;
    }

    /**
     * Starts a daemon thread for an agent.
     *
     * @param idle how it waits
     * @param errors hears of what the agent throws; the agent goes on afterwards
     */
    public static OwnerThread start(Agent agent, DoorbellIdle idle, ErrorHandler errors) {
        AgentRunner runner = new AgentRunner(idle, errors, null, agent);
        AgentRunner.startOnThread(
                runner,
                task -> {
                    Thread thread = new Thread(task, agent.roleName());
                    thread.setDaemon(true);
                    return thread;
                });
        return new OwnerThread(runner, idle);
    }

    /** Ends the agent after its current pass, and waits for that. */
    @Override
    public void close() {
        // The thread may have fallen asleep just before it was told to end: wake it until it does.
        runner.close(CLOSE_RETRY_MS, thread -> idle.ring());
    }
}
