import { lstatSync } from "node:fs";
import type { Witness } from "../plan/plan.js";

/** A file or folder as it is now; one that does not exist must go on not existing. */
export function witnessFile(path: string): Witness {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (!stat) return { kind: "file", path, mode: 0, dev: 0n, ino: 0n, size: 0n, mtimeNs: 0n, ctimeNs: 0n };
  const { mode, dev, ino, size, mtimeNs, ctimeNs } = stat;
  return { kind: "file", path, mode: Number(mode), dev, ino, size, mtimeNs, ctimeNs };
}

/** A variable of the environment as it is now, or unset. */
export function witnessEnv(name: string, env: NodeJS.ProcessEnv = process.env): Witness {
  return { kind: "env", name, value: env[name] };
}
