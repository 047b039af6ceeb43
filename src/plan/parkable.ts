import { BIND, CLONE, RUN } from "./format.js";
import type { Step } from "./operations.js";
import type { Plan } from "./plan.js";

/** Nobody can see these from outside, and they wait for nothing and nobody. */
const QUIET = new Set<Step["op"]>([
  "OPEN", "OPEN_TREE", "MOUNT_ATTR", "FS_MOUNT", "MKDIR_HOST", "WRITE_HOST", "CGROUP", "CGROUP_SET", "CGROUP_ENTER", "CGROUP_OOM", "PROC_WRITE", "IDMAP",
]);

const OTHER_LIVES = RUN.IN_PLACE | RUN.DETACH | RUN.NO_PAYLOAD | RUN.KEEP_STATE | RUN.PLAIN_TTY;

const known = new WeakMap<Plan, boolean>();

/**
 * Whether the sandbox can be made before it is known what it executes (launcher/zygote.h): nothing on the host tells of
 * it, and its init, which is pid 1, is no freer than the payload.
 */
export function isParkable(plan: Plan): boolean {
  let parkable = known.get(plan);
  if (parkable === undefined) known.set(plan, (parkable = decide(plan)));
  return parkable;
}

function decide({ run, steps }: Plan): boolean {
  const ownInit = (run.flags & (RUN.INIT | OTHER_LIVES)) === RUN.INIT && (run.cloneFlags & CLONE.pid) !== 0 && steps.init.length === 0;
  const last = steps.payload.at(-1);
  return ownInit && run.id === "" && [...steps.host, ...steps.parent].every(({ op }) => QUIET.has(op)) && last?.op === "EXEC" && !last.substitute;
}

/** The host's paths that the plan opens or mounts before it has a root of its own. */
export function listSources({ steps }: Plan): string[] {
  const before = steps.child.slice(0, Math.max(0, steps.child.findIndex(({ op }) => op === "ROOT")));
  const paths = [...steps.host, ...before].flatMap((step) => (step.op === "OPEN" || step.op === "OPEN_TREE" ? [step.path] : []));
  const bound = steps.child.flatMap((step) => (step.op === "BIND" && (step.flags & BIND.FROM_NEW_ROOT) === 0 ? [step.source] : []));
  return [...new Set([...paths, ...bound])];
}
