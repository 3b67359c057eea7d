/** What is still to be done when a signal ends the process. */

/** The signals by which a user, a shell or a system ends a command. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/**
 * What `action` does. If a signal comes meanwhile, `cleanUp` runs, and then the process dies of that signal, so that
 * a shell sees what it sees of a process without handlers. A signal is heard while `action` awaits.
 */
export async function endingWith(cleanUp: () => void, action: () => Promise<void>): Promise<void> {
  const end = (signal: NodeJS.Signals) => {
    try {
      cleanUp();
    } finally {
      for (const each of SIGNALS) process.off(each, end);
      process.kill(process.pid, signal);
    }
  };
  for (const signal of SIGNALS) process.on(signal, end);
  try {
    await action();
  } finally {
    // One that came during the last step is heard in the next turn of the event loop, which the second one ends.
    for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
    for (const signal of SIGNALS) process.off(signal, end);
  }
}
