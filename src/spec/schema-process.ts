import * as z from "zod";
import { CAPABILITY_NAMES } from "../host/capabilities.js";
import { RLIMIT_NAMES } from "./rlimit-names.js";
import { absolutePath, cpuList, id, oneOf, uint64, variable } from "./schema-parts.js";

const capabilities = z.array(oneOf(CAPABILITY_NAMES)).exactOptional();
const POLICIES = ["SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_ISO", "SCHED_IDLE", "SCHED_DEADLINE"];
const SCHEDULER_FLAGS = ["RESET_ON_FORK", "RECLAIM", "DL_OVERRUN", "KEEP_POLICY", "KEEP_PARAMS", "UTIL_CLAMP_MIN", "UTIL_CLAMP_MAX"].map((name) => `SCHED_FLAG_${name}`);

/** OCI's `process` (config.md, Process). */
export const processSchema = z.object({
  terminal: z.boolean().exactOptional(),
  consoleSize: z.object({ height: z.int().min(0).max(65535), width: z.int().min(0).max(65535) }).exactOptional(),
  user: z
    .object({ uid: id, gid: id, umask: z.int().min(0).max(0o777).exactOptional(), additionalGids: z.array(id).exactOptional() })
    .exactOptional(),
  args: z.array(z.string()).min(1).exactOptional(),
  env: z.array(variable).exactOptional(),
  cwd: absolutePath,
  capabilities: z
    .object({ bounding: capabilities, effective: capabilities, inheritable: capabilities, permitted: capabilities, ambient: capabilities })
    .exactOptional(),
  rlimits: z.array(z.object({ type: oneOf(RLIMIT_NAMES), soft: uint64, hard: uint64 })).exactOptional(),
  noNewPrivileges: z.boolean().exactOptional(),
  apparmorProfile: z.string().exactOptional(),
  selinuxLabel: z.string().exactOptional(),
  oomScoreAdj: z.int().min(-1000).max(1000).exactOptional(),
  scheduler: z
    .object({
      policy: oneOf(POLICIES),
      nice: z.int().min(-20).max(19).exactOptional(),
      priority: z.int().min(0).max(99).exactOptional(),
      flags: z.array(oneOf(SCHEDULER_FLAGS)).exactOptional(),
      runtime: uint64.exactOptional(),
      deadline: uint64.exactOptional(),
      period: uint64.exactOptional(),
    })
    .exactOptional(),
  ioPriority: z.object({ class: oneOf(["IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"]), priority: z.int().min(0).max(7) }).exactOptional(),
  execCPUAffinity: z.object({ initial: cpuList.exactOptional(), final: cpuList.exactOptional() }).exactOptional(),
});

const hooks = z
  .array(z.object({ path: absolutePath, args: z.array(z.string()).exactOptional(), env: z.array(variable).exactOptional(), timeout: z.int().min(1).exactOptional() }))
  .exactOptional();

/** OCI's `hooks` (config.md, POSIX-platform Hooks). */
export const hooksSchema = z.object({ prestart: hooks, createRuntime: hooks, createContainer: hooks, startContainer: hooks, poststart: hooks, poststop: hooks });

/** OCI's `root`. The path is empty when the extension says how the root is made. */
export const rootSchema = z.object({ path: z.string(), readonly: z.boolean().exactOptional() });
