import { readFileSync } from "node:fs";
import type { Exit } from "../launch/zygote-frames.js";

const FILES = ["memory.events", "memory.oom_control"]; // version 2, version 1: both have a line "oom_kill N"

/** How often the kernel has killed for lack of memory in a sandbox's cgroups: the number only ever grows. */
export class OomWatch {
  #seen = 0;

  /** @param cgroups absolute folders */
  constructor(private readonly cgroups: readonly string[]) {}

  /** Whether there was one since the last time; of a process that ended well nobody asks. */
  sawKill(exit: Exit): boolean {
    if (exit.exitCode === 0) return false;
    const count = this.cgroups.flatMap((folder) => FILES.map((file) => readCount(`${folder}/${file}`))).reduce((sum, each) => sum + each, 0);
    const more = count > this.#seen;
    this.#seen = count;
    return more;
  }
}

function readCount(file: string): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync(file, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
