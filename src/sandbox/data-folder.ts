import { homedir } from "node:os";
import { join } from "node:path";

/**
 * The folder of everything that lasts (images, layers, containers, volumes, networks, machines, snapshots):
 * `/var/lib/brig` for root, else `$XDG_DATA_HOME/brig`, else `~/.local/share/brig` (XDG Base Directory Specification:
 * a value that is not absolute is ignored). `$BRIG_DATA` is another place for them. Nothing is made.
 */
export function findDataFolder(euid: number = process.geteuid?.() ?? -1, env: NodeJS.ProcessEnv = process.env): string {
  if (env["BRIG_DATA"]?.startsWith("/")) return env["BRIG_DATA"];
  if (euid === 0) return "/var/lib/brig";
  const data = env["XDG_DATA_HOME"];
  if (data?.startsWith("/")) return join(data, "brig");
  const home = env["HOME"];
  return join(home?.startsWith("/") ? home : homedir(), ".local/share/brig");
}
