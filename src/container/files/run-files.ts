import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { getSystemErrorName } from "node:util";
import { BrigError } from "../../error/brig-error.js";
import { readHostFacts } from "../../host/facts.js";
import { findLauncher } from "../../launch/find-launcher.js";
import { holdPlan } from "../../launch/run-plan.js";
import { compilePlan } from "../../plan/compile.js";
import { encodePlan } from "../../plan/encode.js";
import type { Step } from "../../plan/operations.js";
import type { Plan } from "../../plan/plan.js";
import { planCommand } from "../../sandbox/exec.js";
import { writeExtension } from "../../spec/extension.js";
import { isLive } from "../../sandbox/sandbox.js";
import type { Container } from "../model.js";
import { findContainerSandbox } from "../status.js";
import { buildContentsSpec, type ContentsWish } from "./contents-spec.js";

/** launcher/pack.h */
const PACK = { layer: 1, takeOver: 2, recorded: 4, follow: 8, head: 16, noFolder: 32 } as const;
/** launcher/unpack.h: as plain files, from the working folder on. */
const UNPACK_PLAIN_HERE = 16 | 32;
const MOST = 2n ** 63n;

export interface PackWish extends ContentsWish {
  /** Absolute, inside. */
  path: string;
  /** What it is called in the archive; "": only what is in it. */
  name: string;
  flags?: (keyof typeof PACK)[];
}

/**
 * Reads files of a container into a tar archive. What runs is read from inside, with its mounts.
 * @param use gets the archive as it comes, and must read it to its end
 * @throws BrigError BRIG_NO_SUCH_PATH, BRIG_CANNOT_PACK, BRIG_PAUSED
 */
export async function packFiles<T>(folder: string, container: Container, wish: PackWish, use: (tar: Readable) => Promise<T>): Promise<T> {
  const flags = sumFlags(wish.flags ?? []);
  const plan = planFiles(folder, container, wish, "/", { op: "PACK", flags: wish.what === "changes" ? flags | PACK.layer : flags, path: wish.path, name: wish.name });
  return runFiles(plan, "ignore", wish.path, use);
}

/**
 * Writes a tar archive into a folder of a container, which is made where it is missing.
 * @throws BrigError BRIG_CANNOT_UNPACK, BRIG_PAUSED
 */
export async function unpackFiles(folder: string, container: Container, path: string, tar: Readable | number): Promise<void> {
  const plan = planFiles(folder, container, { what: "all", writable: true }, path, { op: "UNPACK", flags: UNPACK_PLAIN_HERE, entries: MOST, bytes: MOST });
  const said = await runFiles(plan, tar, path, text);
  const [, number = "0", why = "", place = ""] = /^bad (\d+) ([^\n]*)\n([^]*)$/.exec(said) ?? [];
  if (!said.startsWith("done ")) throw fail("BRIG_CANNOT_UNPACK", place || path, why, Number(number));
}

/** Reads files of the caller's own host in the same way. */
export async function packHostFiles<T>({ path, name, flags = [] }: Omit<PackWish, "what">, use: (tar: Readable) => Promise<T>): Promise<T> {
  const host = readHostFacts();
  const spec = writeExtension({ ociVersion: "1.2.0", mounts: [], process: { args: ["/"], cwd: "/" }, linux: { namespaces: [] } }, { stateless: true, terminal: "plain", dieWithParent: true });
  const plan = compilePlan(spec, host);
  plan.steps.payload = [...plan.steps.payload.filter(({ op }) => op !== "EXEC"), { op: "PACK", flags: sumFlags(flags), path, name }];
  return runFiles(plan, "ignore", path, use);
}

function sumFlags(flags: NonNullable<PackWish["flags"]>): number {
  return flags.reduce((sum, name) => sum | PACK[name], 0);
}

/** One step in the place of a payload's program. */
function planFiles(folder: string, container: Container, wish: ContentsWish, cwd: string, step: Step): Plan {
  const host = readHostFacts();
  const sandbox = findContainerSandbox(container);
  const joins = wish.what === "all" && sandbox !== undefined && isLive(sandbox);
  const plan = joins
    ? planCommand(sandbox, { command: ["/"], cwd, user: { uid: 0, gid: 0 }, privileged: true, terminal: "never" }, host)
    : compilePlan(buildContentsSpec(folder, container, host, wish), host);
  const { payload } = plan.steps;
  plan.steps.payload = payload.filter(({ op }) => op !== "EXEC" && op !== "CWD");
  // before the filter, which leaves calls for files alone
  const at = plan.steps.payload.findIndex(({ op }) => op === "SECCOMP");
  plan.steps.payload.splice(at < 0 ? plan.steps.payload.length : at, 0, { op: "CWD", path: cwd, create: 1 });
  plan.steps.payload.push(step);
  return plan;
}

async function runFiles<T>(plan: Plan, input: Readable | number | "ignore", path: string, use: (output: Readable) => Promise<T>): Promise<T> {
  return holdPlan(encodePlan(plan), async (descriptor) => {
    const isStream = typeof input === "object";
    const child = spawn(findLauncher(), ["--plan-fd", "3"], { stdio: [isStream ? "pipe" : input, "pipe", "pipe", descriptor], cwd: "/", env: {} });
    const ended = new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
    child.stdin?.on("error", () => undefined); // its own report says more
    if (isStream) input.pipe(child.stdin!);
    const told = text(child.stderr!);
    try {
      const [result, said, status] = await Promise.all([use(child.stdout!), told, ended]);
      const [, number = "0", why = "", place = ""] = /^bad (\d+) ([^\n]*)\n([^]*)$/.exec(said) ?? [];
      if (why) throw fail("BRIG_CANNOT_PACK", place || path, why, Number(number));
      if (status !== 0 && status !== 3) throw new BrigError(said.trim() || `the files cannot be reached: status ${status}`, { code: "BRIG_CANNOT_PACK", exitCode: 1 });
      return result;
    } finally {
      child.kill("SIGKILL");
    }
  });
}

function fail(code: string, path: string, why: string, errno: number): BrigError {
  if (errno === 2) return new BrigError(`Could not find the file ${path} in the container`, { code: "BRIG_NO_SUCH_PATH", exitCode: 1 });
  const name = errno === 0 ? "" : ` (${getSystemErrorName(-errno)})`;
  return new BrigError(`${JSON.stringify(path)}: ${why}${name}`, { code, exitCode: 1, ...(errno === 21 ? { hint: "name a folder that is there as the destination" } : {}) });
}
