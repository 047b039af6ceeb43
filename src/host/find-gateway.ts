import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { BrigError } from "../error/brig-error.js";

const here = typeof __filename === "string" ? __filename : fileURLToPath(import.meta.url);

/**
 * The program that stands between a sandbox with an allow-list and the network: in the `dist` of the checkout or
 * package that this code belongs to.
 *
 * @throws BrigError BRIG_NO_GATEWAY
 */
export function findGateway(from = dirname(here)): string {
  const path = join(basename(from) === "dist" ? from : join(from, "dist"), "cli", "gateway.cjs");
  if (existsSync(path)) return path;
  const parent = dirname(from);
  if (parent !== from) return findGateway(parent);
  throw new BrigError("brig's network gateway is missing", { code: "BRIG_NO_GATEWAY", hint: "npm rebuild brig, or in a checkout: npm run build" });
}
