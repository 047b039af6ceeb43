import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { CompileOptions } from "../../src/plan/compile.js";
import type { Spec } from "../../src/spec/oci.js";

export const LAUNCHER = resolve(process.env["BRIG_LAUNCHER"] ?? "dist/brig");
const compiler = fileURLToPath(new URL("./compile-spec.js", import.meta.url));

export interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
  /** The error that compiling ended with, where it did. */
  refused?: { code: string; message: string };
}

/** Why these tests cannot run here, if they cannot. */
export function cannotRun(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root, to be root and another user in turn";
  return existsSync(LAUNCHER) ? undefined : "the launcher is not built";
}

/** Compiles a spec and runs its plan with the launcher, both as this user and group. */
export function runSpec(spec: Spec, as: { uid: number; gid?: number } = { uid: 0 }, options: CompileOptions = {}): Ran {
  const identity = { uid: as.uid, gid: as.gid ?? as.uid };
  const env = { PATH: process.env["PATH"] ?? "", BRIG_CLI: "/nonexistent", BRIG_NO_CACHE: "1" };
  const compiled = spawnSync(process.execPath, [compiler], { input: JSON.stringify({ spec, options }), ...identity, env, maxBuffer: 32 << 20 });
  if (compiled.status !== 0) {
    const text = compiled.stderr.toString();
    return { status: null, stdout: "", stderr: text, refused: text.startsWith("{") ? (JSON.parse(text) as { code: string; message: string }) : { code: "CRASH", message: text } };
  }
  const folder = mkdtempSync(join(tmpdir(), "brig-plan-"));
  try {
    chmodSync(folder, 0o755);
    const file = join(folder, "plan");
    writeFileSync(file, compiled.stdout);
    chownSync(file, identity.uid, identity.gid);
    const ran: SpawnSyncReturns<string> = spawnSync(LAUNCHER, ["--plan", file], { encoding: "utf8", ...identity, env, cwd: "/", timeout: 20_000, input: "" });
    return { status: ran.status, stdout: ran.stdout, stderr: ran.stderr };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
