import type { Problem } from "./describe-issues.js";
import type { Capabilities, Process, Rlimit, Scheduler } from "./oci.js";

/** What the schema of `process` cannot see: fields that contradict each other. */
export function checkProcess(process: Process | undefined): Problem[] {
  if (!process) return [];
  return [
    ...(process.args?.[0] === "" ? [{ path: ["args", 0], text: "must not be empty: it is the program" }] : []),
    ...checkCapabilities(process.capabilities),
    ...checkRlimits(process.rlimits ?? []),
    ...checkScheduler(process.scheduler),
    ...(process.consoleSize && process.terminal !== true ? [{ path: ["consoleSize"], text: "has no meaning without terminal: true" }] : []),
  ].map(({ path, text }) => ({ path: ["process", ...path], text }));
}

/**
 * capabilities(7): effective and ambient ones are permitted, capset(2) and prctl(2) refuse the rest. Ambient ones that
 * are not inheritable cannot be raised either, but crun's own default has such, so that they only stay without effect.
 */
function checkCapabilities(sets: Capabilities | undefined): Problem[] {
  return sets ? [...checkSubset(sets, "effective", "permitted"), ...checkSubset(sets, "ambient", "permitted")] : [];
}

function checkSubset(sets: Capabilities, small: keyof Capabilities, big: keyof Capabilities): Problem[] {
  const allowed = new Set(sets[big]);
  return (sets[small] ?? []).flatMap((name, index) => (allowed.has(name) ? [] : [{ path: ["capabilities", small, index], text: `${name} is ${small} but not ${big}` }]));
}

function checkRlimits(rlimits: readonly Rlimit[]): Problem[] {
  const seen = new Set<string>();
  return rlimits.flatMap(({ type, soft, hard }, index) => {
    const problems: Problem[] = [];
    if (seen.has(type)) problems.push({ path: ["rlimits", index, "type"], text: `${type} is set twice` });
    if (soft > hard) problems.push({ path: ["rlimits", index, "soft"], text: `${soft} is above the hard limit ${hard}` });
    seen.add(type);
    return problems;
  });
}

/** sched(7): what each policy needs. */
function checkScheduler(scheduler: Scheduler | undefined): Problem[] {
  if (!scheduler) return [];
  const { policy, priority = 0, runtime = 0, deadline = 0, period = 0 } = scheduler;
  const realtime = policy === "SCHED_FIFO" || policy === "SCHED_RR";
  if (realtime && priority < 1) return [{ path: ["scheduler", "priority"], text: `must be 1 to 99 for ${policy}` }];
  if (!realtime && priority > 0) return [{ path: ["scheduler", "priority"], text: `must be 0 for ${policy}` }];
  if (policy !== "SCHED_DEADLINE")
    return runtime || deadline || period ? [{ path: ["scheduler"], text: "runtime, deadline and period belong to SCHED_DEADLINE" }] : [];
  const ordered = runtime > 0 && runtime <= deadline && (period === 0 || deadline <= period);
  return ordered ? [] : [{ path: ["scheduler"], text: "SCHED_DEADLINE needs 0 < runtime <= deadline <= period" }];
}
