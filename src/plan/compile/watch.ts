import { SLOT_NONE } from "../format.js";
import { readHostArch, selectTables } from "../seccomp/architectures.js";
import { compileSeccomp } from "../seccomp/compile.js";
import { MAX_INSTRUCTIONS } from "../seccomp/bpf.js";
import { encodeWatchedCalls, listWatchedCalls } from "../watch/calls.js";
import { canBeWatched, makeWatchFilter } from "../watch/filter.js";
import { addStep, type Context, refuse } from "./context.js";

const POINTER = "/annotations/dev.brig.watch";
const SECCOMP = "/linux/seccomp";
const NEW_LISTENER = 1 << 3;
const WAIT_KILLABLE_RECV = 1 << 5;
/** Every thread at once, and how that reports errors: the payload has one thread, and the answer is a listener here. */
const TSYNC = (1 << 0) | (1 << 4);
const WATCH_ONLY = 1 << 0;
const INSTRUCTION = 8;

/** The payload's filter with a listener, and the watcher's share of the plan. */
export function compileWatch(context: Context): void {
  const { extension, spec, host } = context;
  const { watch } = extension;
  if (!watch) return;
  checkWatch(context);
  const seccomp = spec.linux?.seccomp;
  const { program, flags } = seccomp ? compileSeccomp(seccomp) : { program: new Uint8Array(), flags: 0 };
  const arch = readHostArch();
  const calls = listWatchedCalls(arch, watch.mode === "open").filter(({ name }) => canBeWatched(seccomp, name));
  const filter = makeWatchFilter(program, calls, seccomp ? selectTables(seccomp, arch) : [arch]);
  if (filter.length / INSTRUCTION > MAX_INSTRUCTIONS) throw refuse(extension, SECCOMP, "BRIG_CANNOT_WATCH", "the seccomp filter leaves no room for watching", "use fewer compares of arguments");
  addStep(context, "host", { op: "WATCH", descriptor: watch.fd, calls: encodeWatchedCalls(calls), filter: program, flags: watch.mode === "open" ? WATCH_ONLY : 0 }, POINTER);
  const listen = NEW_LISTENER | (isSince(host.kernel, 5, 19) ? WAIT_KILLABLE_RECV : 0);
  addStep(context, "payload", { op: "SECCOMP", filter, flags: (flags & ~TSYNC) | listen, listener: SLOT_NONE }, SECCOMP);
}

function checkWatch(context: Context): void {
  const { extension, host, inPlace } = context;
  if (inPlace || extension.detach) throw refuse(extension, POINTER, "BRIG_CANNOT_WATCH", "nobody stays who could watch the payload", "run it in the foreground");
  if (host.seccompActions.has("user_notif") && isSince(host.kernel, 5, 6)) return;
  throw refuse(extension, POINTER, "BRIG_CANNOT_WATCH", "this kernel cannot show a payload's system calls to anybody", "that takes Linux 5.6 with CONFIG_SECCOMP_FILTER: see brig doctor");
}

function isSince([major, minor]: readonly [number, number], wantedMajor: number, wantedMinor: number): boolean {
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
