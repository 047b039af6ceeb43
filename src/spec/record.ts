import type { Spec } from "./oci.js";

/**
 * What a sandbox's `config.json` in the run folder holds: the spec it was made from, and what was decided on this host
 * that later commands need. The file's own times say since when.
 */
export interface SandboxRecord {
  spec: Spec;
  /** Folders of the sandbox's own cgroups, in which "%i" stands for its id. */
  cgroups: string[];
  /** The limits that the payload got (setrlimit(2)), by number; decimal, since they are wider than a JSON number. */
  rlimits: { resource: number; soft: string; hard: string }[];
  /** The folder stays when the payload ends. */
  keep: boolean;
}
