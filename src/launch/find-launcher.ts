import { accessSync, constants } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { BrigError } from "../error/brig-error.js";

/** This module's file, as an ES module and in the command's CommonJS bundle. */
const here = typeof __filename === "string" ? __filename : fileURLToPath(import.meta.url);

/**
 * The launcher's path: BRIG_LAUNCHER; `dist/brig` of the checkout or package that this code belongs to; the prebuilt
 * one in the optional package for this architecture.
 *
 * @throws BrigError BRIG_NO_LAUNCHER
 */
export function findLauncher(env: NodeJS.ProcessEnv = process.env): string {
  const found = [env["BRIG_LAUNCHER"], ...listBuilt(dirname(here)), findPrebuilt(), findCompiled(env)].find((path) => path !== undefined && isProgram(path));
  if (found !== undefined) return found;
  const hint = "npm rebuild brig, or in a checkout: npm run build";
  throw new BrigError("brig's launcher is missing", { code: "BRIG_NO_LAUNCHER", hint });
}

function listBuilt(folder: string): string[] {
  const own = basename(folder) === "dist" ? [join(folder, "brig")] : [join(folder, "dist", "brig")];
  const parent = dirname(folder);
  return parent === folder ? own : [...own, ...listBuilt(parent)];
}

function findPrebuilt(): string | undefined {
  try {
    return createRequire(here).resolve(`brig-linux-${process.arch}/brig`);
  } catch {
    return undefined;
  }
}

/** Where `bin/brig` of a package that its user may not write puts what it compiled. */
function findCompiled(env: NodeJS.ProcessEnv): string | undefined {
  const cache = env["XDG_CACHE_HOME"]?.startsWith("/") ? env["XDG_CACHE_HOME"] : env["HOME"]?.startsWith("/") ? join(env["HOME"], ".cache") : undefined;
  return cache === undefined ? undefined : join(cache, "brig", "launcher", "brig");
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
