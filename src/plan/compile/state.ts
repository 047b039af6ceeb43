import type { ContainerFolder, Voice } from "../../spec/extension.js";
import type { SandboxRecord } from "../../spec/record.js";
import { RUN, RUN_EXEC_FAILURE_SHIFT, RUN_FAILURE_SHIFT } from "../format.js";
import type { Step } from "../operations.js";
import { addStep, attachesNetwork, type Context, refuse } from "./context.js";
import { isNew } from "./namespaces.js";
import { findSignal } from "./signals.js";

const DEFAULT_GRACE_MS = 10_000;

/** The sandbox's place among the others: its folder, its name, and what keeps its namespaces. */
export function compileState(context: Context): void {
  const { extension, options } = context;
  if (options.runFolder === undefined || (extension.stateless && !extension.display) || context.inPlace) return;
  if (extension.name !== undefined) {
    const pointer = "/annotations/dev.brig.name";
    if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(extension.name))
      throw refuse(extension, pointer, "BRIG_BAD_NAME", `${JSON.stringify(extension.name)} is no name for a sandbox`, "letters, digits, _ . and -, beginning with a letter or digit, at most 63");
  }
  addStep(context, "host", { op: "STATE", folder: options.runFolder, config: "" });
  if (extension.container) addStep(context, "host", encodeContainer(extension.container), "/annotations/dev.brig.container");
  if (extension.name === undefined) return;
  const names = `${options.runFolder}/names`;
  addStep(context, "host", { op: "MKDIR_HOST", path: names, mode: 0o700, existOk: 1 }, "/annotations/dev.brig.name");
  addStep(context, "host", { op: "NAME", link: `${names}/${extension.name}` }, "/annotations/dev.brig.name");
}

/**
 * The folder is for other commands, who can wait a moment for it: it is written while the first process is at work.
 * Not where something before that is in it, or is found by it.
 */
export function deferState({ plan, extension, spec }: Context): void {
  const { host, parent } = plan.steps;
  const state = host.find((step) => step.op === "STATE");
  if (!state || extension.name !== undefined || extension.detach || attachesNetwork(extension) || extension.display || spec.hooks) return;
  host.splice(host.indexOf(state), 1);
  parent.push({ op: "GO" }, state);
}

const RESTART = { never: 0, "on-failure": 1, always: 2 };

function encodeContainer({ folder, restart, retries, link }: ContainerFolder): Step {
  return { op: "CONTAINER", folder, restart: RESTART[restart ?? "never"], retries: retries ?? 0, link: link ?? "" };
}

/** What later commands need to know of the sandbox, once it is decided. */
export function completeState({ plan, spec, options }: Context): void {
  const state = plan.steps.host.find((step) => step.op === "STATE");
  if (!state) return;
  const record: SandboxRecord = { spec, cgroups: [], rlimits: [], keep: options.keepState ?? false };
  for (const step of plan.steps.host) if (step.op === "CGROUP") record.cgroups.push(`${step.parent}/${step.name}`);
  for (const step of plan.steps.payload)
    if (step.op === "RLIMIT") record.rlimits.push({ resource: step.resource, soft: String(step.soft), hard: String(step.hard) });
  state.config = JSON.stringify(record);
}

const FILES = { pid: "pid", net: "network", mnt: "mount", ipc: "ipc", uts: "uts", user: "user", cgroup: "cgroup", time: "time" } as const;

/** Bind mounts that keep namespaces alive; behind everything else of the parent's, so that a failure leaves none. */
export function compilePersistence(context: Context): void {
  context.extension.persist?.forEach(({ type, path }, index) => {
    const pointer = `/annotations/dev.brig.persist/${index}`;
    if (!isNew(context, FILES[type])) throw refuse(context.extension, pointer, "BRIG_BAD_SPEC", `${path} shall keep a ${type} namespace, and no new one is made`, "add it to linux.namespaces");
    // its children's namespace, since the process itself is not in the one that it made for them
    const name = type === "time" && context.spec.linux?.timeOffsets ? "time_for_children" : type;
    addStep(context, "parent", { op: "BIND_NAMESPACE", name, target: path }, pointer);
  });
}

/** The header: what the launcher does around the sandbox. */
export function compileRun(context: Context): void {
  const { extension, options, plan, spec } = context;
  const { run } = plan;
  if (context.inPlace) run.flags |= RUN.IN_PLACE;
  else if (extension.init) run.flags |= RUN.INIT;
  if (extension.attached && !extension.detach) run.flags |= RUN.ATTACHED | (options.openStdin ? RUN.OPEN_STDIN : 0);
  if (extension.detach) run.flags |= RUN.DETACH | (options.printId ? RUN.PRINT_ID : 0) | (options.openStdin ? RUN.OPEN_STDIN : 0);
  if (extension.outlast) run.flags |= RUN.OUTLAST | (extension.outlast === "first" ? RUN.FIRST_STATUS : 0);
  if (extension.dieWithParent) run.flags |= RUN.DIE_WITH_PARENT;
  if (!spec.process?.args && !extension.noPayload) run.flags |= RUN.NO_PAYLOAD | RUN.INIT;
  if (options.keepState) run.flags |= RUN.KEEP_STATE;
  if (extension.voice) run.flags = (run.flags | encodeStatuses(extension.voice)) >>> 0;
  run.id = options.id ?? "";
  // who shares the caller's terminal cannot be left alone with it
  run.detachKeys = extension.terminal === "plain" ? "" : (options.detachKeys ?? (extension.machine ? "\x1d\x1d\x1d" : "\x10\x11"));
  run.timeoutMs = extension.timeout?.ms ?? 0;
  run.graceMs = extension.timeout?.graceMs ?? DEFAULT_GRACE_MS;
  run.stopSignal = extension.stopSignal ? findSignal(extension, "/annotations/dev.brig.stopSignal", extension.stopSignal) : 15;
  if (extension.log || extension.detach || extension.attached) run.log = extension.container ? `${extension.container.folder}/log` : "log";
  run.logMaxBytes = extension.log?.maxBytes ?? 0;
}

/** The tool's exit statuses, which the launcher gives; without those for the program it says 127 and 126. */
function encodeStatuses({ exitCode, exec }: Voice): number {
  const own = exec.notFound === exec.other ? exec.other : 0;
  return (exitCode << RUN_FAILURE_SHIFT) | (own << RUN_EXEC_FAILURE_SHIFT);
}
