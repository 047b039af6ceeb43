import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { BrigError } from "../error/brig-error.js";

const here = typeof __filename === "string" ? __filename : fileURLToPath(import.meta.url);

/** What stands beside a sandbox, and what it is called. */
const COMPANIONS = { gateway: "network gateway", "untrusted-display": "keeper of display cookies" } as const;

/**
 * A program that runs beside a sandbox as long as that lives (OP_COMPANION of launcher/plan.h): in the `dist` of the
 * checkout or package that this code belongs to.
 *
 * @throws BrigError BRIG_NO_COMPANION
 */
export function findCompanion(name: keyof typeof COMPANIONS, from = dirname(here)): string {
  const path = join(basename(from) === "dist" ? from : join(from, "dist"), "cli", `${name}.cjs`);
  if (existsSync(path)) return path;
  const parent = dirname(from);
  if (parent !== from) return findCompanion(name, parent);
  throw new BrigError(`brig's ${COMPANIONS[name]} is missing`, { code: "BRIG_NO_COMPANION", hint: "npm rebuild brig, or in a checkout: npm run build" });
}
