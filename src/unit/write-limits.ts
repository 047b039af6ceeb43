import { isAsked, lack, put, type UnitDraft } from "./draft.js";

/** RLIMIT_NOFILE and its like by systemd's names. */
function nameLimit(type: string): string {
  return `Limit${type.replace(/^RLIMIT_/, "")}`;
}

/** Limits of the whole service, and of each of its processes. */
export function writeLimits(draft: UnitDraft): void {
  const { resources = {} } = draft.spec.linux ?? {};
  const { memory, pids, cpu, devices, ...rest } = resources;
  if (memory?.limit !== undefined && memory.limit > 0) put(draft, "MemoryMax", isAsked(draft, "/linux/resources/memory") ? String(memory.limit) : "50%");
  if (memory?.reservation !== undefined) put(draft, "MemoryLow", String(memory.reservation));
  if (memory?.swap !== undefined && memory.limit !== undefined && memory.swap >= memory.limit) put(draft, "MemorySwapMax", String(memory.swap - memory.limit));
  if (pids && pids.limit > 0) put(draft, "TasksMax", String(pids.limit));
  if (cpu?.quota !== undefined && cpu.quota > 0) put(draft, "CPUQuota", `${Math.max(1, Math.round((cpu.quota / (cpu.period ?? 100_000)) * 100))}%`);
  if (cpu?.cpus !== undefined) put(draft, "AllowedCPUs", cpu.cpus);
  if (cpu?.mems !== undefined) put(draft, "AllowedMemoryNodes", cpu.mems);
  for (const name of Object.keys(rest)) lack(draft, `/linux/resources/${name}`, `a limit of ${name}`);
  if (devices?.some(({ allow, type }) => allow && type !== undefined)) lack(draft, "/linux/resources/devices", "rules for devices by number");
  writeProcessLimits(draft);
}

function writeProcessLimits(draft: UnitDraft): void {
  const { rlimits = [], oomScoreAdj, scheduler, ioPriority, execCPUAffinity } = draft.spec.process ?? {};
  const show = (value: number): string => (value >= Number.MAX_SAFE_INTEGER || value < 0 ? "infinity" : String(value));
  for (const { type, soft, hard } of rlimits) put(draft, nameLimit(type), soft === hard ? show(soft) : `${show(soft)}:${show(hard)}`);
  if (oomScoreAdj !== undefined) put(draft, "OOMScoreAdjust", String(oomScoreAdj));
  if (scheduler?.policy === "SCHED_OTHER" && scheduler.nice !== undefined) put(draft, "Nice", String(scheduler.nice));
  else if (scheduler) lack(draft, "/process/scheduler", `the scheduler ${scheduler.policy}`);
  if (ioPriority) lack(draft, "/process/ioPriority", "an I/O priority");
  if (execCPUAffinity) lack(draft, "/process/execCPUAffinity", "processors of exec alone");
  writeLife(draft);
}

/** How long it may run, and how it is ended. */
function writeLife(draft: UnitDraft): void {
  const { timeout, stopSignal } = draft.extension;
  if (timeout) put(draft, "RuntimeMaxSec", `${timeout.ms}ms`);
  if (timeout?.graceMs !== undefined) put(draft, "TimeoutStopSec", `${timeout.graceMs}ms`);
  if (stopSignal !== undefined) put(draft, "KillSignal", stopSignal.startsWith("SIG") ? stopSignal : `SIG${stopSignal}`);
}
