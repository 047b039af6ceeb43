const running = new Map<string, Promise<unknown>>();

/** Does something once for all who ask for it in this process at the same time. Who comes when it has failed tries anew. */
export async function shareWork<T>(key: string, work: () => Promise<T>): Promise<T> {
  const under = running.get(key) as Promise<T> | undefined;
  if (under) return await under.catch(() => shareWork(key, work));
  const promise = work();
  running.set(key, promise);
  try {
    return await promise;
  } finally {
    if (running.get(key) === promise) running.delete(key);
  }
}
