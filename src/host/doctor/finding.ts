import type { HostFacts } from "../facts.js";
import type { Probe } from "../probe.js";

/** One thing that this host offers or lacks. */
export interface Finding {
  /** What it is about, a few words: "user namespaces". */
  topic: string;
  state: "ok" | "limited" | "missing";
  /** What was found. */
  what: string;
  /** What follows from it for sandboxes. */
  means: string;
  /** The command that changes it, or what else to do; none where all is well. */
  fix?: string;
  /** The safe default of `brig run` does not work without it. */
  required?: boolean;
}

/** What a check goes by. `root` stands before every path: "/" on a real host. */
export interface Checkup {
  root: string;
  facts: HostFacts;
  probe: Probe;
  env: NodeJS.ProcessEnv;
}
