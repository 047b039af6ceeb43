import type { Scheduler } from "../../spec/oci.js";
import { addStep, type Context, refuse } from "./context.js";

const POLICIES: Record<string, number> = { SCHED_OTHER: 0, SCHED_FIFO: 1, SCHED_RR: 2, SCHED_BATCH: 3, SCHED_ISO: 4, SCHED_IDLE: 5, SCHED_DEADLINE: 6 };
const FLAGS: Record<string, number> = {
  SCHED_FLAG_RESET_ON_FORK: 1, SCHED_FLAG_RECLAIM: 2, SCHED_FLAG_DL_OVERRUN: 4, SCHED_FLAG_KEEP_POLICY: 8,
  SCHED_FLAG_KEEP_PARAMS: 0x10, SCHED_FLAG_UTIL_CLAMP_MIN: 0x20, SCHED_FLAG_UTIL_CLAMP_MAX: 0x40,
};
const IO_CLASSES: Record<string, number> = { IOPRIO_CLASS_RT: 1, IOPRIO_CLASS_BE: 2, IOPRIO_CLASS_IDLE: 3 };
const SCHED_ATTR_SIZE = 48;

/** process.scheduler, ioPriority and execCPUAffinity. */
export function compileScheduling(context: Context): void {
  const { process } = context.spec;
  if (process?.execCPUAffinity) compileAffinity(context, process.execCPUAffinity.final ?? process.execCPUAffinity.initial);
  if (process?.scheduler) {
    const { scheduler } = process;
    const plainNice = scheduler.policy === "SCHED_OTHER" && !scheduler.flags?.length && scheduler.nice !== undefined;
    if (plainNice) addStep(context, "payload", { op: "NICE", nice: scheduler.nice ?? 0 }, "/process/scheduler");
    else addStep(context, "payload", { op: "SCHEDULER", attributes: encodeScheduler(context, scheduler) }, "/process/scheduler");
  }
  if (process?.ioPriority) compileIoPriority(context, process.ioPriority);
}

/** struct sched_attr of sched_setattr(2), first version. */
function encodeScheduler(context: Context, scheduler: Scheduler): Uint8Array {
  const fail = (what: string): Error => refuse(context.extension, "/process/scheduler", "BRIG_BAD_SPEC", `there is no scheduler ${what}`, "see sched_setattr(2)");
  const policy = POLICIES[scheduler.policy];
  if (policy === undefined) throw fail(`policy ${scheduler.policy}`);
  const blob = Buffer.alloc(SCHED_ATTR_SIZE);
  let flags = 0;
  for (const name of scheduler.flags ?? []) {
    const flag = FLAGS[name];
    if (flag === undefined) throw fail(`flag ${name}`);
    flags |= flag;
  }
  blob.writeUInt32LE(SCHED_ATTR_SIZE, 0);
  blob.writeUInt32LE(policy, 4);
  blob.writeBigUInt64LE(BigInt(flags), 8);
  blob.writeInt32LE(scheduler.nice ?? 0, 16);
  blob.writeUInt32LE(scheduler.priority ?? 0, 20);
  blob.writeBigUInt64LE(BigInt(scheduler.runtime ?? 0), 24);
  blob.writeBigUInt64LE(BigInt(scheduler.deadline ?? 0), 32);
  blob.writeBigUInt64LE(BigInt(scheduler.period ?? 0), 40);
  return Uint8Array.from(blob);
}

function compileIoPriority(context: Context, { class: name, priority }: { class: string; priority: number }): void {
  const number = IO_CLASSES[name];
  if (number === undefined || priority < 0 || priority > 7)
    throw refuse(context.extension, "/process/ioPriority", "BRIG_BAD_SPEC", `${name} ${priority} is no I/O priority`, `one of ${Object.keys(IO_CLASSES).join(", ")} with 0 to 7`);
  addStep(context, "payload", { op: "IO_PRIORITY", value: (number << 13) | priority }, "/process/ioPriority");
}

function compileAffinity(context: Context, list: string | undefined): void {
  if (list === undefined) return;
  const mask = parseCpuList(list);
  if (!mask) throw refuse(context.extension, "/process/execCPUAffinity", "BRIG_BAD_SPEC", `${list} is no list of processors`, 'a list is like "0-3,7"');
  addStep(context, "payload", { op: "AFFINITY", mask }, "/process/execCPUAffinity");
}

/** "0-3,7" as the bit mask of sched_setaffinity(2), whole longs; undefined when it is no list. */
export function parseCpuList(list: string): Uint8Array | undefined {
  const cpus: number[] = [];
  for (const part of list.split(",")) {
    const match = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part.trim());
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (!match || last < first || last > 8191) return undefined;
    for (let cpu = first; cpu <= last; cpu++) cpus.push(cpu);
  }
  const mask = new Uint8Array((Math.floor(Math.max(...cpus) / 64) + 1) * 8);
  for (const cpu of cpus) mask[cpu >> 3] = (mask[cpu >> 3] as number) | (1 << (cpu & 7));
  return mask;
}
