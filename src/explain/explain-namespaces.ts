import type { NamespaceKind, NamespacePosture, Posture } from "./posture.js";
import { makeWall, type Wall } from "./wall.js";

/** Identity, root, processes, network and the lesser namespaces, in the order of their weight. */
export function explainNamespaces(posture: Posture): Wall[] {
  return [
    explainIdentity(posture),
    explainRoot(posture),
    explainProcesses(posture),
    explainNetwork(posture),
    explainLesser(posture, "ipc", "IPC", "shared memory, semaphores and message queues of others can be read and changed", "open"),
    explainHostName(posture),
    explainLesser(posture, "cgroup", "cgroup view", "it sees the names of the host's cgroups, and so who else runs there", "narrow"),
    explainLesser(posture, "time", "clocks", "it sees how long the host has been up", "narrow"),
  ];
}

/** "its own (net:[4026532000])". */
function describeNamespace({ state, id }: NamespacePosture): string {
  const words = { own: "its own", shared: "the host's", joined: "joined", unknown: "cannot be read" } as const;
  return id === undefined ? words[state] : `${words[state]} (${id})`;
}

function explainLesser(posture: Posture, kind: NamespaceKind, wall: string, openMeans: string, openState: "open" | "narrow"): Wall {
  const namespace = posture.namespaces[kind];
  const what = describeNamespace(namespace);
  const word = `brig run, without --share ${kind}`;
  if (namespace.state === "own") return makeWall(wall, "closed", what, "nothing of the host's is seen or changed");
  if (namespace.state === "joined") return makeWall(wall, "narrow", what, "shared with whoever else is in it", word);
  if (namespace.state === "unknown") return makeWall(wall, "unknown", what, "it may be the host's", word);
  return makeWall(wall, openState, what, openMeans, word);
}

/** sethostname(2) wants CAP_SYS_ADMIN in the user namespace that the name belongs to. */
function explainHostName(posture: Posture): Wall {
  const changes = posture.namespaces.user.state !== "own" && posture.capabilities.effective.includes("CAP_SYS_ADMIN");
  return explainLesser(posture, "uts", "host name", changes ? "it can rename the host" : "it sees the host's name", changes ? "open" : "narrow");
}

function explainIdentity({ identity, namespaces: { user } }: Posture): Wall {
  const { outsideUid, insideUid } = identity;
  const inside = insideUid === undefined ? "nobody inside" : `uid ${insideUid} inside`;
  const outside = outsideUid === undefined ? "no uid outside" : `uid ${outsideUid} outside`;
  const what = `user namespace ${describeNamespace(user)}: ${inside}, ${outside}${describeRange(identity.uidMap)}`;
  const word = "brig run, without --share user";
  if (user.state === "unknown") return makeWall("identity", "unknown", what, "it may be any user of the host", word);
  if (outsideUid === 0)
    return makeWall("identity", "open", what, "whatever gets through another wall is done as root of the host", word);
  if (user.state === "shared" || user.state === "joined")
    return makeWall("identity", "narrow", what, `whatever gets through another wall is done as user ${outsideUid} of the host, setuid programs included`, word);
  if (identity.uidMap.some((entry) => entry.hostID === 0))
    return makeWall("identity", "open", what, "root of the host is among its ids: it can take that identity", word);
  return makeWall("identity", "closed", what, `it has the rights of ${outsideUid === undefined ? "nobody" : `uid ${outsideUid}`} on the host, and is root over nothing there`);
}

function describeRange(map: Posture["identity"]["uidMap"]): string {
  const size = map.reduce((sum, entry) => sum + entry.size, 0);
  return size > 1 ? `, ${size} ids mapped` : "";
}

function explainRoot({ root, namespaces: { mnt }, capabilities }: Posture): Wall {
  const word = "brig run, without --share mount";
  const what = `mount namespace ${describeNamespace(mnt)}`;
  if (root === "own") return makeWall("root", "closed", what, "it has a tree of mounts of its own; what of the host's is in it stands below");
  if (root === "host") return makeWall("root", "open", `${what}, the host's root folder`, "it sees all files of the host; only their permissions stand in the way", word);
  if (root === "unknown") return makeWall("root", "unknown", what, "it may see all files of the host", word);
  const breaks = ["CAP_SYS_CHROOT", "CAP_SYS_ADMIN", "CAP_MKNOD", "CAP_SYS_PTRACE"].filter((name) => capabilities.effective.includes(name));
  const advice = "chroot only: a chroot is no wall against an attacker who is root in it";
  if (breaks.length > 0) return makeWall("root", "open", `${what}, another root folder`, `${advice}, and this one can leave it (${breaks.join(", ")})`, "brig chroot --hardened");
  return makeWall("root", "narrow", `${what}, another root folder`, advice, "brig chroot --hardened");
}

function explainProcesses({ namespaces: { pid } }: Posture): Wall {
  const what = `pid namespace ${describeNamespace(pid)}`;
  const word = "brig run, without --share pid";
  if (pid.state === "own") return makeWall("processes", "closed", what, "it sees and signals only its own");
  if (pid.state === "joined") return makeWall("processes", "narrow", what, "it sees and may signal those who are in it too", word);
  if (pid.state === "unknown") return makeWall("processes", "unknown", what, "it may see the host's", word);
  return makeWall("processes", "open", what, "it sees every process with its command line, and may signal and trace those of its user", word);
}

function explainNetwork({ namespaces: { net }, interfaces }: Posture): Wall {
  const names = interfaces?.join(", ") || "no interface";
  const what = `network namespace ${describeNamespace(net)}${interfaces ? `: ${names}` : ""}`;
  if (net.state === "unknown") return makeWall("network", "unknown", what, "it may reach what the host reaches", "--net none");
  if (net.state === "shared")
    return makeWall("network", "open", what, "it reaches all that the host reaches, services on the host's 127.0.0.1 and abstract unix sockets included", "--net none");
  if (net.state === "own" && interfaces?.every((name) => isInert(name)) === true) return makeWall("network", "closed", what, "it reaches nobody but itself");
  return makeWall("network", "narrow", what, "it reaches what these interfaces lead to, and can send out what it reads", "--net none");
}

/** Loopback, and the tunnel devices that the kernel puts into every namespace, which are down and lead nowhere. */
function isInert(name: string): boolean {
  return name === "lo" || /^(tunl0|gre0|gretap0|erspan0|ip_vti0|ip6_vti0|sit0|ip6tnl0|ip6gre0)$/.test(name);
}
