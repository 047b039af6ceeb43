/** Does something that Ctrl-C and SIGTERM end in order: it gets a signal, and cleans up before it returns. */
export async function untilInterrupted<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const end = (): void => controller.abort();
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const name of signals) process.on(name, end);
  try {
    return await run(controller.signal);
  } finally {
    for (const name of signals) process.off(name, end);
  }
}
