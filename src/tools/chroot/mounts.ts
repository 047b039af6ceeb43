import { realpathSync } from "node:fs";
import { BrigError } from "../../error/brig-error.js";
import { followInRoot } from "../../host/read-in-root.js";
import { parseTmpfs } from "../../policy/parse/tmpfs.js";
import type { Mount } from "../../spec/oci.js";
import type { Notes } from "../grammar/origins.js";
import { type ChrootOptions, EXIT_CANCELED } from "./grammar.js";

/** The file that each option is about. */
export const HOST_FILES = { resolvConf: "/etc/resolv.conf", timezone: "/etc/localtime" } as const;

/** What is mounted in the root for the program alone: gone with it, and never seen outside. */
export function listMounts(asked: ChrootOptions, root: string, notes: Notes): Mount[] {
  const mounts: Mount[] = [];
  const add = (mount: Mount, text: string, what: string): void => {
    checkPlace(root, mount, text);
    notes.add(`/mounts/${mounts.push(mount) - 1}`, text, `cannot mount ${what} on ${mount.destination}`);
  };
  if (asked.proc) add({ destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "nodev", "noexec"] }, asked.proc.text, "a proc");
  for (const { value, text } of asked.tmpfs) add(readTmpfs(value), text, "a tmpfs");
  for (const key of ["resolvConf", "timezone"] as const) {
    const wish = asked[key];
    if (wish?.value !== "bind") continue;
    const destination = followInRoot(root, HOST_FILES[key]).place;
    add({ destination, type: "bind", source: realpathSync.native(HOST_FILES[key]), options: ["bind", "ro"] }, wish.text, HOST_FILES[key]);
  }
  return mounts;
}

function readTmpfs(value: string): Mount {
  const { destination, size, mode = 0o755, exec } = parseTmpfs(value, "--tmpfs");
  const options = ["nosuid", "nodev", ...(exec ? [] : ["noexec"]), `mode=${mode.toString(8).padStart(4, "0")}`, ...(size === undefined ? [] : [`size=${size}`])];
  return { destination, type: "tmpfs", source: "tmpfs", options };
}

/** Nothing is made in the root only to be mounted on. */
function checkPlace(root: string, { destination, type }: Mount, text: string): void {
  if (followInRoot(root, destination).there) return;
  const make = type === "bind" ? "copy in place of bind puts a file there" : `mkdir -p ${root}${destination}`;
  throw new BrigError(`${text}: there is no ${destination} in ${root} to mount on`, { code: "BRIG_NO_MOUNT_POINT", exitCode: EXIT_CANCELED, hint: make });
}
