import { type ChildProcess, spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { getSystemErrorName } from "node:util";
import type { BrigError } from "../../error/brig-error.js";
import { type HostFacts, readHostFacts } from "../../host/facts.js";
import { findLauncher } from "../../launch/find-launcher.js";
import { holdPlan } from "../../launch/run-plan.js";
import { compilePlan } from "../../plan/compile.js";
import { encodePlan } from "../../plan/encode.js";
import { imageError } from "../image-error.js";
import type { LayerOwners } from "./owners.js";
import { buildUnpackSpec } from "./unpack-spec.js";

/** launcher/unpack.h */
const FLAG = { recordOwners: 1, devices: 2, trusted: 4, wipe: 8, plain: 16 } as const;

export interface UnpackLimits {
  /** Files, folders, links at most. */
  entries: number;
  /** Bytes of files at most. */
  bytes: number;
  /** Unpacked bytes for each packed one at most, once there are more than `ratioFrom` bytes. */
  ratio: number;
  ratioFrom: number;
}

export const DEFAULT_LIMITS: UnpackLimits = { entries: 4_000_000, bytes: 256 * 2 ** 30, ratio: 250, ratioFrom: 2 ** 30 };

export interface UnpackWish {
  owners: LayerOwners;
  /** "wipe": nothing is read, and everything in the folder is removed. "plain": names that begin with .wh. are names. */
  mode: "layer" | "plain" | "wipe";
  /** Devices of the archive are made, not left out. */
  devices?: boolean;
  limits?: UnpackLimits;
  host?: HostFacts;
}

export interface UnpackResult {
  entries: number;
  bytes: number;
  /** Devices that were left out, and extended attributes. */
  skippedDevices: number;
  skippedAttributes: number;
}

/**
 * Runs the launcher's unpacker on a folder. Its input is a file that is open, or else what `feed` writes and ends; `feed`
 * may as well only watch.
 *
 * @throws BrigError BRIG_BAD_LAYER, BRIG_NO_SPACE, and what `feed` throws
 */
export async function runUnpacker(folder: string, wish: UnpackWish, feed: (child: ChildProcess) => Promise<void>, input: number | "pipe" = "pipe"): Promise<UnpackResult> {
  const plan = encodePlan(compileUnpacker(folder, wish));
  return await holdPlan(plan, async (descriptor) => {
    const child = spawn(findLauncher(), ["--plan-fd", "3"], { stdio: [input, "pipe", "pipe", descriptor], cwd: "/", env: {} });
    const ended = new Promise<number | null>((resolve, reject) => child.on("error", reject).on("close", resolve));
    const told = Promise.all([text(child.stdout!), text(child.stderr!), ended]);
    child.stdin?.on("error", () => undefined); // its report says more
    const fed = feed(child).then(() => undefined, (error: unknown) => {
      child.kill("SIGKILL");
      return { error };
    });
    const [output, errors] = await told;
    if (!output.startsWith("done ")) child.stdin?.destroy();
    const failed = await fed;
    if (failed && !isClosed(failed.error)) throw explainStream(failed.error);
    if (output.startsWith("bad ")) throw readFailure(output);
    if (output.startsWith("done ")) return readResult(output);
    throw imageError("BRIG_CANNOT_UNPACK", `the unpacker ended without a word${errors ? `: ${errors.trim()}` : ""}`);
  });
}

/** The unpacker has stopped reading, and says why. */
function isClosed(error: unknown): boolean {
  return ["EPIPE", "ECONNRESET", "ERR_STREAM_PREMATURE_CLOSE", "ERR_STREAM_DESTROYED"].includes((error as NodeJS.ErrnoException).code ?? "");
}

function explainStream(error: unknown): unknown {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return code.startsWith("Z_") ? imageError("BRIG_BAD_LAYER", `the layer cannot be decompressed: ${message}`, undefined, error) : error;
}

function compileUnpacker(folder: string, wish: UnpackWish): ReturnType<typeof compilePlan> {
  const { owners, mode, devices = false, limits = DEFAULT_LIMITS, host = readHostFacts() } = wish;
  const plan = compilePlan(buildUnpackSpec(folder, owners), host);
  const trusted = owners.kind === "real" && host.capabilities.has("CAP_SYS_ADMIN");
  const flags =
    (owners.kind === "recorded" ? FLAG.recordOwners : 0) | (devices ? FLAG.devices : 0) | (trusted ? FLAG.trusted : 0) |
    (mode === "wipe" ? FLAG.wipe : 0) | (mode === "plain" ? FLAG.plain : 0);
  plan.steps.payload = plan.steps.payload.filter(({ op }) => op !== "EXEC");
  plan.steps.payload.push({ op: "UNPACK", flags, entries: BigInt(limits.entries), bytes: BigInt(limits.bytes) });
  return plan;
}

function readResult(output: string): UnpackResult {
  const [entries = 0, bytes = 0, skippedDevices = 0, skippedAttributes = 0] = output.trim().split(" ").slice(1).map(Number);
  return { entries, bytes, skippedDevices, skippedAttributes };
}

/** "bad ERRNO WHY\nPATH"; the path is the archive's, and shown as JSON. */
function readFailure(output: string): BrigError {
  const [, number = "0", why = "", path = ""] = /^bad (\d+) ([^\n]*)\n([^]*)$/.exec(output) ?? [];
  const name = number === "0" ? undefined : getSystemErrorName(-Number(number));
  const what = `${path ? `${JSON.stringify(path)}: ` : ""}${why}${name ? ` (${name})` : ""}`;
  if (name === "ENOSPC" || name === "EDQUOT") return imageError("BRIG_NO_SPACE", "cannot unpack the layer: no space is left on the disk", "brig system df shows what takes it, brig image prune frees some");
  const hint = why.includes("ids that are mapped") ? "give the user more subordinate ids: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER" : undefined;
  return imageError("BRIG_BAD_LAYER", `cannot unpack the layer: ${what}`, hint);
}
