import type { Origin } from "../spec/extension.js";
import type { Spec } from "../spec/oci.js";
import type { Voice } from "../spec/extension.js";
import { PHASES, type Phase, SLOT_NONE } from "./format.js";
import type { Step } from "./operations.js";

/** A compiled sandbox: what the launcher does, in order, and what TypeScript needs to speak about it. */
export interface Plan {
  steps: Record<Phase, Step[]>;
  run: RunParameters;
  /** It is fresh while all of these hold. */
  witnesses: Witness[];
  /** 16 hex digits naming the launcher and compiler; all zero: any. */
  build: string;
  note: Note;
}

export interface RunParameters {
  /** RUN.* */
  flags: number;
  /** CLONE_NEW*: the namespaces that are new at the clone. */
  cloneFlags: number;
  /** A cgroup v2 folder's slot for CLONE_INTO_CGROUP, or SLOT_NONE. */
  cloneCgroupSlot: number;
  timeoutMs: number;
  graceMs: number;
  stopSignal: number;
  /** The log file's name in the state folder, or "". */
  log: string;
  logMaxBytes: number;
  /** The sandbox's id, or "": drawn by the launcher. */
  id: string;
  /** Raw bytes typed to detach from a terminal. */
  detachKeys: string;
}

/** See `enum witness_kind` in launcher/plan.h. */
export type Witness =
  | { kind: "file"; path: string; mode: number; dev: bigint; ino: bigint; size: bigint; mtimeNs: bigint; ctimeNs: bigint }
  | { kind: "env"; name: string; value: string | undefined }
  | { kind: "words"; words: string[] }
  | { kind: "cwd"; folder: string }
  | { kind: "ids"; uid: number; gid: number; groups: bigint }
  | { kind: "tty"; bits: number }
  | { kind: "access"; path: string; mode: number; granted: boolean }
  | { kind: "stat" | "lstat"; path: string; answer: PlaceAnswer | { errno: number } }
  | { kind: "link" | "real"; path: string; answer: string | undefined }
  | { kind: "names"; path: string; prefix: string; sum: bigint | undefined; folder: FolderState | undefined }
  | { kind: "absent"; path: string; names: readonly string[]; folder: FolderState | undefined }
  | { kind: "content"; path: string; mode: number; dev: bigint; ino: bigint; size: bigint; mtimeNs: bigint; ctimeNs: bigint }
  | { kind: "text"; path: string; hash: bigint | undefined }
  | { kind: "caps"; effective: bigint };

/** A folder in which nothing has come or gone while these are the same. */
export interface FolderState {
  dev: bigint;
  ino: bigint;
  mtimeNs: bigint;
}

/** What stat(2) said of a place, as far as a compiler asks. `ino` 0: it did not ask. */
export interface PlaceAnswer {
  mode: number;
  uid: number;
  dev: bigint;
  ino: bigint;
}

/** JSON behind the plan, for TypeScript alone. */
export interface Note {
  /** The words that were compiled, without the command's name. */
  words?: string[];
  cwd?: string;
  spec?: Spec;
  /** Who asked, by JSON pointer; those that a step comes from. */
  origins?: Record<string, Origin>;
  voice?: Voice;
  /** What the spec asks for as a default and this host does not give, in words. */
  leftOut?: string[];
  /** JSON pointers of the settings among them. */
  unset?: string[];
  /** Written by `encodePlan`: the JSON pointers that steps come from, and for each step its place there (-1: none). */
  pointers?: string[];
  steps?: number[];
}

/** A plan of no steps, to which the compiler adds. */
export function makeEmptyPlan(): Plan {
  return {
    steps: { host: [], parent: [], child: [], payload: [], init: [] },
    run: {
      flags: 0, cloneFlags: 0, cloneCgroupSlot: SLOT_NONE, timeoutMs: 0, graceMs: 10_000, stopSignal: 15,
      log: "", logMaxBytes: 0, id: "", detachKeys: "",
    },
    witnesses: [],
    build: "0".repeat(16),
    note: {},
  };
}

/** All steps with their phase, in the order of the plan: a step's place here is its number in an error record. */
export function listSteps(plan: Plan): { phase: Phase; step: Step }[] {
  return PHASES.flatMap((phase) => plan.steps[phase].map((step) => ({ phase, step })));
}
