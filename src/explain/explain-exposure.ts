import type { Posture, Reach } from "./posture.js";
import { isBeneath } from "../host/mountinfo.js";
import { makeWall, type Wall } from "./wall.js";

const MOST_SHOWN = 8;

/** Places where a write makes root or the user do something later. */
const TELLING_WRITES = ["/", "/etc", "/usr", "/bin", "/sbin", "/lib", "/lib64", "/boot", "/root", "/home", "/var", "/opt", "/run", "/proc", "/sys", "/dev"];
/** Places that hold what others must not read. */
const TELLING_READS = ["/", "/root", "/home", "/var", "/proc", "/run"];
/** The same where nothing but root's permissions guard it. */
const TELLING_READS_OF_ROOT = [...TELLING_READS, "/etc/shadow", "/etc/ssh"];

/** Files, devices, sockets, descriptors and the terminal: what of the host's is inside. */
export function explainExposure(posture: Posture): Wall[] {
  return [explainWrites(posture), explainReads(posture), explainDevices(posture), explainSockets(posture), explainDescriptors(posture), explainTerminal(posture)];
}

function listReach(reach: readonly Reach[]): string {
  return listSome(reach.map(({ path, host }) => (host === undefined || host === path ? path : `${path} (${host})`)));
}

function listSome(names: readonly string[]): string {
  return names.length > MOST_SHOWN ? `${names.slice(0, MOST_SHOWN).join(", ")} and ${names.length - MOST_SHOWN} more` : names.join(", ");
}

/** Whether what is seen is one of these places or a whole folder above one, "/" meaning itself alone. */
function findTelling(reach: readonly Reach[], places: readonly string[]): string[] {
  const hosts = reach.map(({ path, host }) => host ?? path);
  return hosts.filter((host) => places.some((place) => place === host || (place !== "/" && isBeneath(place, host))) || /^\/home\/[^/]+$/.test(host));
}

/** What this user may not look at is not called closed. */
function refuse(wall: string, means: string): Wall {
  return makeWall(wall, "unknown", "cannot be read by this user", means, "run brig explain as root");
}

function explainWrites({ writable }: Posture): Wall {
  if (!writable) return refuse("files it can write", "it may write to the host's");
  if (writable.length === 0) return makeWall("files it can write", "closed", "none of the host's", "what it writes is gone with it");
  const telling = findTelling(writable, TELLING_WRITES);
  const word = "--read PATH in place of --write PATH; --ephemeral";
  if (telling.length > 0) return makeWall("files it can write", "open", listReach(writable), `as far as permissions allow, it can change what others run or trust in ${listSome([...new Set(telling)])}`, word);
  return makeWall("files it can write", "narrow", listReach(writable), "as far as permissions allow, it can change or delete these", word);
}

function explainReads({ readable, writable, identity }: Posture): Wall {
  if (!readable || !writable) return refuse("files it can read", "it may read the host's");
  const all = [...readable, ...writable];
  if (all.length === 0) return makeWall("files it can read", "closed", "none of the host's", "it learns nothing from the host's files");
  const telling = findTelling(all, identity.outsideUid === 0 ? TELLING_READS_OF_ROOT : TELLING_READS);
  const what = [...(readable.length > 0 ? [listReach(readable)] : []), ...(writable.length > 0 ? ["those that it can write"] : [])].join(", and ");
  if (telling.length > 0) return makeWall("files it can read", "open", what, `as far as permissions allow, private files, keys and tokens in ${listSome([...new Set(telling)])}`, "--hide PATH");
  return makeWall("files it can read", "narrow", what, "as far as permissions allow, it can read these", "--hide PATH");
}

function explainDevices({ devices, identity }: Posture): Wall {
  if (!devices) return refuse("devices", "there may be hardware among them");
  if (devices.length === 0) return makeWall("devices", "closed", "only the harmless ones", "no hardware and no kernel memory");
  const means = "as far as permissions allow: disks under every file system's rules, memory, graphics, input";
  return makeWall("devices", identity.outsideUid === 0 ? "open" : "narrow", listSome(devices), means, "brig run, without --devices PATH");
}

function explainSockets({ sockets }: Posture): Wall {
  if (!sockets) return refuse("sockets", "it may reach services of the host's");
  if (sockets.length === 0) return makeWall("sockets", "closed", "no well-known one", "no service of the host's can be asked to do things for it");
  const state = sockets.every(({ narrow }) => narrow) ? "narrow" : "open";
  return makeWall("sockets", state, listSome(sockets.map((socket) => socket.path)), listSome([...new Set(sockets.map((socket) => socket.what))]), "--hide PATH; --net none for abstract ones (@)");
}

function explainDescriptors({ descriptors, namespaces: { mnt } }: Posture): Wall {
  if (mnt.state === "shared") return makeWall("descriptors", "open", "its mounts are the host's", "there is no wall that a descriptor could lead through", "brig run");
  if (mnt.state === "unknown" || !descriptors) return refuse("descriptors", "one may lead outside");
  if (descriptors.length === 0) return makeWall("descriptors", "closed", "none leads outside", "nothing of the caller's is left open");
  const what = listSome(descriptors.map(({ fd, target, writable }) => `${fd}: ${target}${writable ? " (writing)" : ""}`));
  if (descriptors.some((entry) => entry.folder)) return makeWall("descriptors", "open", what, "an open folder of the host leads out of the sandbox: openat(2) with \"..\" reaches every file", "brig run closes all but 0, 1 and 2");
  if (descriptors.every((entry) => entry.fd <= 2)) return makeWall("descriptors", "narrow", what, "who started it redirected these to it: no more than these files");
  return makeWall("descriptors", "narrow", what, "these files are open to it whatever the mounts say", "brig run closes all but 0, 1 and 2");
}

function explainTerminal({ terminal, seccomp }: Posture): Wall {
  if (terminal.state === "none") return makeWall("terminal", "closed", "no controlling terminal", "it cannot type into anybody's shell");
  if (terminal.state === "own") return makeWall("terminal", "closed", "one of its own", "what it types into it stays inside");
  const what = "shared with processes outside";
  if (!terminal.injectable) return makeWall("terminal", "narrow", what, "the kernel refuses TIOCSTI; it still reads what is typed, and its output can drive the terminal", "--tty always");
  const filtered = seccomp.mode === "filter" ? " unless its seccomp filter refuses ioctl TIOCSTI" : "";
  return makeWall("terminal", filtered ? "narrow" : "open", what, `it can type commands into your shell (TIOCSTI)${filtered}`, "--tty always");
}
