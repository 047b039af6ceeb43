import { readFileSync } from "node:fs";
import { addEntry, type Draft } from "./draft.js";

const NOBODY = { passwd: "nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin", group: "nogroup:x:65534:" };

/** Adds passwd and group with root, nobody and the caller and their groups: no passwords, no real names, no others. */
export function addUsers(draft: Draft): void {
  const users = pickUsers(readTable(draft, "/etc/passwd"), new Set([0, 65534, process.getuid!()]));
  const gids = new Set([0, 65534, process.getgid!(), ...process.getgroups!(), ...users.map((fields) => Number(fields[3]))]);
  const groups = readTable(draft, "/etc/group").filter((fields) => fields.length >= 3 && gids.has(Number(fields[2])));
  const names = new Set(users.map(([name]) => name));
  const members = (list: string | undefined) => (list ?? "").split(",").filter((name) => names.has(name)).join(",");
  const passwd = users.map(([name, , uid, gid, , home, shell]) => `${name}:x:${uid}:${gid}::${home}:${shell ?? ""}`);
  const group = groups.map(([name, , gid, list]) => `${name}:x:${gid}:${members(list)}`);
  if (!users.some((fields) => fields[2] === "65534")) passwd.push(NOBODY.passwd);
  if (!groups.some((fields) => fields[2] === "65534")) group.push(NOBODY.group);
  addEntry(draft, { type: "text", path: "/etc/passwd", reason: "--users", mode: 0o644, content: `${passwd.join("\n")}\n` });
  addEntry(draft, { type: "text", path: "/etc/group", reason: "--users", mode: 0o644, content: `${group.join("\n")}\n` });
}

function readTable(draft: Draft, path: string): string[][] {
  const file = draft.sight.root.resolve(path);
  const text = file?.stat.isFile() ? readFileSync(file.host, "utf8") : "root:x:0:0::/root:/bin/sh\n";
  return text.split("\n").filter((line) => /^[^#+-][^:]*:/.test(line)).map((line) => line.split(":"));
}

function pickUsers(rows: string[][], uids: Set<number>): string[][] {
  return rows.filter((fields) => fields.length >= 6 && uids.has(Number(fields[2])));
}
