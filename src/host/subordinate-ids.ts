/** A range of ids on the host that a user may map into user namespaces (subuid(5)). */
export interface IdRange {
  start: number;
  count: number;
}

/** The ranges of a user in the text of /etc/subuid or /etc/subgid, where he stands by name or by number. */
export function parseSubordinateIds(text: string, user: { name: string | undefined; uid: number }): IdRange[] {
  return text.split("\n").flatMap((line) => {
    const match = /^([^:]+):(\d+):(\d+)\s*$/.exec(line);
    if (!match || (match[1] !== user.name && match[1] !== String(user.uid))) return [];
    const range = { start: Number(match[2]), count: Number(match[3]) };
    return range.count > 0 && range.start + range.count <= 0xffffffff ? [range] : [];
  });
}

/** The name of a user in the text of /etc/passwd. */
export function findUserName(passwd: string, uid: number): string | undefined {
  for (const line of passwd.split("\n")) {
    const fields = line.split(":");
    if (fields[2] === String(uid)) return fields[0];
  }
  return undefined;
}
