import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BrigError } from "../../error/brig-error.js";

/** The second line of every file that brig makes as a shim: only those does it replace or remove. */
const MARK = "# A shim that brig made: `brig shims --remove` takes it away.";

/** Commands of other tools, and brig's command that understands their words. */
export const shimmed: Record<string, string> = {
  unshare: "unshare",
  nsenter: "nsenter",
  chroot: "chroot",
  ip: "netns",
  firejail: "firejail",
  bwrap: "bwrap",
  "systemd-nspawn": "nspawn",
  machinectl: "machinectl",
  docker: "docker",
};

export interface Shim {
  name: string;
  /** "brig unshare". */
  runs: string;
  state: "made" | "foreign" | "missing";
}

/** What stands in a folder under the names of tools whose command this brig has. */
export function listShims(folder: string, commands: readonly string[]): Shim[] {
  return Object.entries(shimmed)
    .filter(([, command]) => commands.includes(command))
    .map(([name, command]) => ({ name, runs: `brig ${command}`, state: readState(join(folder, name)) }));
}

/**
 * Makes the shims that are missing and renews brig's own.
 * @param brig the absolute path of the command
 * @throws BrigError BRIG_SHIM_EXISTS before anything is made, when a name belongs to someone else
 */
export function makeShims(folder: string, commands: readonly string[], brig: string): Shim[] {
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new BrigError(`${folder} is no folder`, { code: "BRIG_NO_SUCH_PATH", hint: `mkdir -p ${folder}` });
  const shims = listShims(folder, commands);
  const foreign = shims.filter(({ state }) => state === "foreign").map(({ name }) => join(folder, name));
  if (foreign.length > 0)
    throw new BrigError(`${foreign.join(", ")}: not made by brig, and left as it is`, { code: "BRIG_SHIM_EXISTS", hint: "use another folder and put it first in PATH" });
  for (const { name } of shims) writeShim(join(folder, name), renderShim(name, brig));
  return listShims(folder, commands);
}

/** Takes away what brig made, of every name, and returns the names. */
export function removeShims(folder: string): string[] {
  const made = readdirSync(folder).filter((name) => readState(join(folder, name)) === "made");
  for (const name of made) rmSync(join(folder, name));
  return made;
}

/** `ip` has other work too: only `ip netns` is brig's. */
export function renderShim(name: string, brig: string): string {
  const path = quote(brig);
  if (name !== "ip") return `#!/bin/sh\n${MARK}\nexec ${path} ${shimmed[name]} "$@"\n`;
  return `#!/bin/sh
${MARK}
case "$1" in
netns) shift; exec ${path} netns "$@" ;;
-all | --all | -json | --json) [ "$2" = netns ] && { flag=$1; shift 2; exec ${path} netns "$flag" "$@"; } ;;
esac
for ip in /usr/sbin/ip /sbin/ip /usr/bin/ip /bin/ip; do
  [ -x "$ip" ] && exec "$ip" "$@"
done
echo "ip: not found" >&2
exit 127
`;
}

// Whole or not there: a shell may be about to run the old one.
function writeShim(path: string, text: string): void {
  const fresh = `${path}.brig-${process.pid}`;
  writeFileSync(fresh, text, { mode: 0o755, flag: "wx" });
  renameSync(fresh, path);
}

function readState(path: string): Shim["state"] {
  try {
    return readFileSync(path, "utf8").split("\n")[1] === MARK ? "made" : "foreign";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" && !isLink(path) ? "missing" : "foreign";
  }
}

// A dangling link is someone's all the same.
function isLink(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) === undefined && readdirSync(join(path, "..")).includes(path.slice(path.lastIndexOf("/") + 1));
}

function quote(path: string): string {
  return `'${path.replaceAll("'", `'\\''`)}'`;
}
