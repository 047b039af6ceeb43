import type { Origin } from "../spec/extension.js";

/** What a payload wanted of a path. "replace": rename over it; "change": its mode, owner or times. */
export type Want = "look" | "read" | "write" | "execute" | "create" | "remove" | "replace" | "change" | "connect";

/** Something that the sandbox refused and that would have worked on the host. */
export interface Denial {
  /**
   * hidden: the host has it, the sandbox does not show it. masked: it is there, and empty. read-only: its mount is.
   * landlock: only Landlock keeps it. identity: the payload is somebody else than the caller. mount-point: a file that
   * is shown by itself cannot be replaced. call: seccomp. network, capability: as they say.
   */
  kind: "hidden" | "masked" | "read-only" | "landlock" | "identity" | "mount-point" | "no-exec" | "call" | "network" | "capability";
  /** A path, a system call with what counts of its arguments, an address, a name that was looked up. */
  what: string;
  want: Want | "call";
  /** The first program that wanted it, its thread as the host sees it, and by which call. */
  program: string;
  pid: number;
  call: string;
  /** The wall in words, and who asked for it. */
  rule: string;
  origin?: Origin;
  /** The words of `brig run` that would have let it through; undefined where there are none. */
  allow?: string;
  /** What to do where no word helps, or what else to know. */
  advice?: string;
  /** How often, and when first, in milliseconds from the start. */
  count: number;
  firstMs: number;
}

/** What a judge finds: the ledger adds who, when and how often. */
export type Finding = Pick<Denial, "kind" | "what" | "want" | "rule" | "origin" | "allow" | "advice">;
