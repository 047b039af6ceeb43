import { totalmem } from "node:os";
import { BrigError } from "../error/brig-error.js";
import type { Resources } from "../spec/oci.js";
import { describeOrigin } from "../spec/origin.js";
import { byDefault, type Draft, originOfOption, originOrDefault } from "./draft.js";
import { parseDuration } from "./parse/duration.js";
import { parseRlimit } from "./parse/rlimit.js";
import { parseSize } from "./parse/size.js";

const DEFAULT_PIDS = 1024;
const CPU_PERIOD_US = 100_000;
const PAGE = 4096;
const LEAST_MEMORY = 2 ** 20;

/** Memory, processes, processors, time, and the limits of setrlimit(2). */
export function setLimits(draft: Draft): void {
  const resources: Resources = (draft.linux.resources = {});
  setMemory(draft, resources);
  setPids(draft, resources);
  setCpu(draft, resources);
  setTimeout(draft);
  setRlimits(draft);
  setPriority(draft);
}

function setMemory(draft: Draft, resources: Resources): void {
  const { memory } = draft.options;
  if (memory === "none") return;
  const limit = memory === undefined ? Math.floor(totalmem() / 2 / PAGE) * PAGE : parseSize(memory, "memory");
  if (limit < LEAST_MEMORY) throw refuse(draft, "memory", memory, "the least that a process can start in is 1MiB");
  resources.memory = { limit };
  draft.origins["/linux/resources/memory"] = originOrDefault(draft, "memory", "half of the host's memory");
}

function setPids(draft: Draft, resources: Resources): void {
  const { pids = DEFAULT_PIDS } = draft.options;
  if (pids === "none") return;
  if (!Number.isInteger(pids) || pids < 1) throw refuse(draft, "pids", pids, "a whole number from 1, or none");
  resources.pids = { limit: pids };
  draft.origins["/linux/resources/pids"] = originOrDefault(draft, "pids", "enough for most builds, and no fork bomb");
}

function setCpu(draft: Draft, resources: Resources): void {
  const { cpus, cpuset } = draft.options;
  if (cpus === undefined && cpuset === undefined) return;
  if (cpus !== undefined && !(cpus >= 0.01 && cpus <= 65_536)) throw refuse(draft, "cpus", cpus, "a number such as 0.5 or 2");
  if (cpuset !== undefined && !/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(cpuset)) throw refuse(draft, "cpuset", cpuset, "a list such as 0-3,7");
  resources.cpu = {
    ...(cpus === undefined ? {} : { quota: Math.round(cpus * CPU_PERIOD_US), period: CPU_PERIOD_US }),
    ...(cpuset === undefined ? {} : { cpus: cpuset }),
  };
  draft.origins["/linux/resources/cpu"] = originOfOption(draft, cpus === undefined ? "/cpuset" : "/cpus");
}

function setTimeout(draft: Draft): void {
  const { timeoutMs, graceMs } = draft.options;
  if (timeoutMs === undefined) return;
  const ms = parseDuration(timeoutMs, "timeout");
  draft.extension.timeout = graceMs === undefined ? { ms } : { ms, graceMs: parseDuration(graceMs, "grace") };
  draft.origins["/annotations/dev.brig.timeout"] = originOfOption(draft, "/timeoutMs");
}

/** No core files: they would hold the payload's memory, and a handler on the host would read what the payload wrote. */
function setRlimits(draft: Draft): void {
  const asked = (draft.options.rlimits ?? []).map((words) => parseRlimit(words, "rlimit"));
  const core = { type: "RLIMIT_CORE", soft: 0, hard: 0 };
  const rlimits = [...new Map([core, ...asked].map((rlimit) => [rlimit.type, rlimit])).values()];
  draft.process.rlimits = rlimits;
  draft.origins["/process/rlimits"] = asked.length > 0 ? originOfOption(draft, "/rlimits") : byDefault("no core files");
}

function setPriority(draft: Draft): void {
  const { nice, oomScoreAdj } = draft.options;
  if (nice !== undefined) {
    if (!Number.isInteger(nice) || nice < -20 || nice > 19) throw refuse(draft, "nice", nice, "a whole number from -20 to 19");
    draft.process.scheduler = { policy: "SCHED_OTHER", nice };
    draft.origins["/process/scheduler"] = originOfOption(draft, "/nice");
  }
  if (oomScoreAdj !== undefined) {
    if (!Number.isInteger(oomScoreAdj) || oomScoreAdj < -1000 || oomScoreAdj > 1000) throw refuse(draft, "oomScoreAdj", oomScoreAdj, "a whole number from -1000 to 1000");
    draft.process.oomScoreAdj = oomScoreAdj;
    draft.origins["/process/oomScoreAdj"] = originOfOption(draft, "/oomScoreAdj");
  }
}

function refuse(draft: Draft, name: string, value: unknown, hint: string): BrigError {
  const origin = describeOrigin(originOfOption(draft, `/${name}`));
  return new BrigError(`${name} cannot be ${JSON.stringify(value)}`, { code: "BRIG_BAD_VALUE", origin, hint });
}
