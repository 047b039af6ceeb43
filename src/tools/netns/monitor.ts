import { mkdirSync, watch } from "node:fs";
import { listNames } from "./look.js";
import { RUN_FOLDER } from "./names.js";

/**
 * Tells names as they come and go, until the signal is aborted. The kernel says of each change only that a name came
 * or went (inotify(7) through node:fs), in order and one event each: so a name that is known went, any other came.
 */
export async function watchNames(tell: (event: "add" | "delete", name: string) => void, signal?: AbortSignal): Promise<void> {
  mkdirSync(RUN_FOLDER, { recursive: true, mode: 0o755 });
  const watcher = watch(RUN_FOLDER, signal ? { signal } : {});
  const known = new Set(listNames());
  watcher.on("change", (kind, file) => {
    if (kind !== "rename" || file === null) return;
    const name = String(file);
    const went = known.delete(name);
    if (!went) known.add(name);
    tell(went ? "delete" : "add", name);
  });
  await new Promise<void>((resolve, reject) => {
    watcher.on("close", resolve);
    watcher.on("error", (error: NodeJS.ErrnoException) => (error.name === "AbortError" ? resolve() : reject(error)));
  });
}
