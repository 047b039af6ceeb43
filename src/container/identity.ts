import type { HostFacts } from "../host/facts.js";
import { readAccounts, type Accounts } from "../host/accounts.js";
import { BrigError } from "../error/brig-error.js";
import { MAPPED_BASE, MAPPED_COUNT } from "../policy/identity.js";
import type { IdMapping, User } from "../spec/oci.js";
import { readInLayers } from "./layers.js";
import type { Container } from "./model.js";

/** How a container's ids stand to the host's. */
export interface IdMaps {
  /** "range": root's range for containers. "subordinate": the user's own id and what /etc/subuid gives. "one": the user's own id alone. "host": none. */
  kind: "range" | "subordinate" | "one" | "host";
  uids: IdMapping[];
  gids: IdMapping[];
}

export function chooseMaps({ HostConfig }: Container, host: HostFacts, user: User): IdMaps {
  if (host.euid === 0) {
    if (HostConfig.UsernsMode === "host") return { kind: "host", uids: [], gids: [] };
    const range = [{ containerID: 0, hostID: MAPPED_BASE, size: MAPPED_COUNT }];
    return { kind: "range", uids: range, gids: range };
  }
  const [uids, gids] = [host.subuid[0], host.subgid[0]];
  if (uids && gids && host.hasTool("newuidmap") !== undefined)
    return {
      kind: "subordinate",
      uids: [{ containerID: 0, hostID: host.euid, size: 1 }, { containerID: 1, hostID: uids.start, size: uids.count }],
      gids: [{ containerID: 0, hostID: host.egid, size: 1 }, { containerID: 1, hostID: gids.start, size: gids.count }],
    };
  return { kind: "one", uids: [{ containerID: user.uid, hostID: host.euid, size: 1 }], gids: [{ containerID: user.gid, hostID: host.egid, size: 1 }] };
}

export interface ContainerUser extends User {
  home: string;
  /** Groups that a single mapped id leaves no room for are none. */
  additionalGids: number[];
}

/**
 * Who "NAME|UID[:NAME|GID]" is in the container's own /etc/passwd and /etc/group.
 * @throws BrigError BRIG_NO_SUCH_USER
 */
export function findUser(container: Container, layers: readonly string[], asked = container.Config.User): ContainerUser {
  const accounts = readAccounts((path) => readInLayers(layers, path));
  const [name = "", group] = asked === "" ? ["0"] : asked.split(":");
  const account = /^\d+$/.test(name) ? accounts.userById(Number(name)) : accounts.userByName(name);
  if (!account && !/^\d+$/.test(name)) throw refuse(`unable to find user ${name}: no matching entries in passwd file`);
  const uid = account?.uid ?? Number(name);
  const gid = group === undefined ? (account?.gid ?? 0) : findGroup(accounts, group);
  const own = group === undefined && account ? accounts.groupsOf(account.name, gid).filter((each) => each !== gid) : [];
  const added = container.HostConfig.GroupAdd.map((each) => findGroup(accounts, each));
  return { uid, gid, additionalGids: [...new Set([...own, ...added])], home: account?.home || "/" };
}

function findGroup(accounts: Accounts, group: string): number {
  if (/^\d+$/.test(group)) return Number(group);
  const found = accounts.groupByName(group);
  if (!found) throw refuse(`unable to find group ${group}: no matching entries in group file`);
  return found.gid;
}

function refuse(message: string): BrigError {
  return new BrigError(message, { code: "BRIG_NO_SUCH_USER", hint: "a number works always: --user 1000:1000" });
}
