import { existsSync } from "node:fs";
import { BrigError } from "../error/brig-error.js";
import { readTextInRoot, resolveInRoot } from "../host/read-in-root.js";

/** A user as a machine's own files have it. */
export interface MachineUser {
  name: string;
  uid: number;
  gid: number;
  groups: number[];
  /** A folder that is there. */
  home: string;
  shell: string;
}

/**
 * Looks a user up in the machine's passwd and group files, links in them included, without leaving its root.
 * @param root the machine's root on the host, such as /proc/PID/root
 * @param who a name or a number
 * @throws BrigError BRIG_NO_SUCH_USER
 */
export function findMachineUser(root: string, who: string): MachineUser {
  const lines = readLines(root, "/etc/passwd");
  const fields = lines.find(([name]) => name === who) ?? lines.find(([, , uid]) => uid === who);
  if (!fields && who !== "root") throw new BrigError(`the machine has no user ${JSON.stringify(who)}`, { code: "BRIG_NO_SUCH_USER", exitCode: 1, hint: "its /etc/passwd says which it has" });
  const [name = "root", , uid = "0", gid = "0", , home = "/root", shell = ""] = fields ?? [];
  if (!/^\d+$/.test(uid) || !/^\d+$/.test(gid)) throw new BrigError(`the machine's /etc/passwd is broken at ${JSON.stringify(who)}`, { code: "BRIG_NO_SUCH_USER", exitCode: 1 });
  const groups = readLines(root, "/etc/group").filter(([, , , members = ""]) => members.split(",").includes(name)).map(([, , id]) => Number(id));
  return {
    name, uid: Number(uid), gid: Number(gid), groups: [...new Set([Number(gid), ...groups])].filter(Number.isInteger),
    home: home.startsWith("/") && isThere(root, home) ? home : "/",
    shell: shell.startsWith("/") && isThere(root, shell) ? shell : "/bin/sh",
  };
}

/** Whether the machine has something at this path. */
export function isThere(root: string, path: string): boolean {
  const place = resolveInRoot(root, path);
  return place !== undefined && existsSync(place);
}

function readLines(root: string, file: string): string[][] {
  return (readTextInRoot(root, file) ?? "").split("\n").map((line) => line.split(":"));
}
