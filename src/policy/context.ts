import type { HostFacts } from "../host/facts.js";
import type { Origin } from "../spec/extension.js";

/** Who starts the sandbox, from where, on which host. */
export interface PolicyContext {
  /** The working folder, real and absolute. */
  cwd: string;
  env: NodeJS.ProcessEnv;
  /** The caller's home, absolute; "/" when there is none. */
  home: string;
  host: HostFacts;
  /** Who asked for what: a JSON pointer into the options ("/read/1", "/memory") to its origin. */
  origins?: Record<string, Origin>;
  /** An absolute path of no folder yet, where an overlay's upper sides may be made; without it nothing is ephemeral. */
  scratch?: string;
  /** Gets what the spec depends on, for a cache: it holds while none of these files and variables changes. */
  consulted?: Consulted;
}

export interface Consulted {
  /** Absolute paths, of what exists and of what does not. */
  files: Set<string>;
  env: Set<string>;
}
