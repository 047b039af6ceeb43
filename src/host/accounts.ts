/** A user in passwd(5). */
export interface User {
  name: string;
  uid: number;
  gid: number;
  home: string;
  shell: string;
}

/** A group in group(5). */
export interface Group {
  name: string;
  gid: number;
  members: string[];
}

/** The users and groups of a root. The first line that fits counts, as in the C library's "files" service. */
export interface Accounts {
  userByName(name: string): User | undefined;
  userById(uid: number): User | undefined;
  groupByName(name: string): Group | undefined;
  groupById(gid: number): Group | undefined;
  /** The group ids that initgroups(3) would set: the primary one first, then those that list the user. */
  groupsOf(name: string, primary: number): number[];
}

/** @param read gives the text of "/etc/passwd" and "/etc/group", or undefined when there is none */
export function readAccounts(read: (path: string) => string | undefined): Accounts {
  let users: User[] | undefined;
  let groups: Group[] | undefined;
  const allUsers = () => (users ??= parsePasswd(read("/etc/passwd") ?? ""));
  const allGroups = () => (groups ??= parseGroup(read("/etc/group") ?? ""));
  return {
    userByName: (name) => allUsers().find((user) => user.name === name),
    userById: (uid) => allUsers().find((user) => user.uid === uid),
    groupByName: (name) => allGroups().find((group) => group.name === name),
    groupById: (gid) => allGroups().find((group) => group.gid === gid),
    groupsOf: (name, primary) => {
      const listed = allGroups().filter((group) => group.members.includes(name));
      return [...new Set([primary, ...listed.map((group) => group.gid)])];
    },
  };
}

/** passwd(5): lines that are cut short or whose numbers are none are passed over. */
export function parsePasswd(text: string): User[] {
  return text.split("\n").flatMap((line) => {
    const [name, , uid, gid, , home, shell] = line.split(":");
    if (!name || !isId(uid) || !isId(gid)) return [];
    return [{ name, uid: Number(uid), gid: Number(gid), home: home ?? "", shell: shell ?? "" }];
  });
}

/** group(5). */
export function parseGroup(text: string): Group[] {
  return text.split("\n").flatMap((line) => {
    const [name, , gid, members] = line.split(":");
    if (!name || !isId(gid)) return [];
    return [{ name, gid: Number(gid), members: (members ?? "").split(",").filter((member) => member !== "") }];
  });
}

function isId(text: string | undefined): text is string {
  return text !== undefined && /^\d+$/.test(text) && Number(text) <= 0xfffffffe;
}
