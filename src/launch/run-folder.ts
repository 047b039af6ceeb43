import { join } from "node:path";

/**
 * The folder that holds a folder for each sandbox: `/run/brig` for root, else `$XDG_RUNTIME_DIR/brig`, else
 * `/tmp/brig-UID`, which the launcher makes with mode 0700 (docs/architecture.md).
 */
export function findRunFolder(euid: number, env: NodeJS.ProcessEnv = process.env): string {
  const runtime = env["XDG_RUNTIME_DIR"];
  if (euid === 0) return "/run/brig";
  return runtime?.startsWith("/") ? join(runtime, "brig") : `/tmp/brig-${euid}`;
}
