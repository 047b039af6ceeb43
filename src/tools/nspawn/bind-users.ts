import type { RootEntry } from "../../spec/extension.js";
import type { IdMapping, Mount } from "../../spec/oci.js";
import { readAccounts, type User } from "../../host/accounts.js";
import type { NspawnContext } from "./context.js";
import type { NspawnOptions } from "./options.js";
import type { Users } from "./users.js";
import { refuseWords } from "./values.js";

/** The ids inside that systemd keeps for users of the host (https://systemd.io/UIDS-GIDS). */
const FIRST_ID = 60_514;
const LAST_ID = 60_577;
const SHELL = "/bin/bash";

/** --bind-user=: users of the host, known inside by nss-systemd(8), with their home folders. */
export interface BoundUsers {
  users: Users;
  mounts: { mount: Mount; text: string }[];
  files: RootEntry[];
}

/** @throws BrigError BRIG_BAD_OPTION: no user namespace, no such user */
export function planBoundUsers(options: NspawnOptions, context: NspawnContext, users: Users): BoundUsers {
  const planned: BoundUsers = { users, mounts: [], files: [] };
  if (options.bindUsers.length === 0) return planned;
  const { mappings } = users;
  if (!mappings || context.host.euid !== 0) throw refuseWords("--bind-user= needs a user namespace with ids of the machine's own.", "leave --private-users=no out, and run it as root");
  const accounts = readAccounts((path) => context.read(path));
  planned.files.push({ type: "dir", path: "/run/host/userdb", mode: 0o755 }, { type: "dir", path: "/run/host/home", mode: 0o755 });
  let { uids, gids } = mappings;
  [...new Set(options.bindUsers)].forEach((name, index) => {
    const user = accounts.userByName(name);
    const id = FIRST_ID + index;
    if (!user || user.uid === 0) throw refuseWords(`Failed to bind user '${name}': ${user ? "root is not bound" : "No such process"}`, "a user in the host's /etc/passwd");
    if (id > LAST_ID) throw refuseWords(`Failed to bind user '${name}': more than ${LAST_ID - FIRST_ID + 1} users`);
    uids = insertId(uids, id, user.uid);
    gids = insertId(gids, id, user.gid);
    const home = `/run/host/home/${name}`;
    planned.mounts.push({ text: `--bind-user=${name}`, mount: { destination: home, type: "bind", source: user.home, options: ["rbind", "nosuid", "nodev"] } });
    planned.files.push(...describeUser(user, id, home));
  });
  return { ...planned, users: { ...users, mappings: { uids, gids } } };
}

/** The map with one id inside that is this one on the host. */
function insertId(mappings: readonly IdMapping[], inside: number, host: number): IdMapping[] {
  return mappings.flatMap((each) => {
    const { containerID, hostID, size } = each;
    const at = inside - containerID;
    if (at < 0 || at >= size) return [each];
    const parts = [
      { containerID, hostID, size: at },
      { containerID: inside, hostID: host, size: 1 },
      { containerID: inside + 1, hostID: hostID + at + 1, size: size - at - 1 },
    ];
    return parts.filter((part) => part.size > 0);
  });
}

/** https://systemd.io/USER_RECORD and GROUP_RECORD, each under its name and its number. */
function describeUser({ name }: User, id: number, home: string): RootEntry[] {
  const service = "io.systemd.NSpawn";
  const user = { userName: name, uid: id, gid: id, homeDirectory: home, shell: SHELL, disposition: "container", service };
  const group = { groupName: name, gid: id, disposition: "container", service };
  const write = (file: string, record: object): RootEntry => ({ type: "file", path: `/run/host/userdb/${file}`, mode: 0o644, content: `${JSON.stringify(record)}\n` });
  const link = (file: string, target: string): RootEntry => ({ type: "symlink", path: `/run/host/userdb/${file}`, target });
  return [write(`${name}.user`, user), link(`${id}.user`, `${name}.user`), write(`${name}.group`, group), link(`${id}.group`, `${name}.group`)];
}
