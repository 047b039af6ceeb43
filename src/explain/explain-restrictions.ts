import type { Posture } from "./posture.js";
import { makeWall, type Wall } from "./wall.js";

/** Capabilities that are root on the host by another name when they count there (capabilities(7)). */
const DECISIVE = new Set(["CAP_SYS_ADMIN", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_MKNOD", "CAP_SYS_BOOT", "CAP_SETUID", "CAP_SETGID", "CAP_CHOWN", "CAP_FOWNER", "CAP_BPF", "CAP_SETFCAP", "CAP_MAC_ADMIN"]);

/** Capabilities, no_new_privs, seccomp, Landlock and the limits. */
export function explainRestrictions(posture: Posture): Wall[] {
  return [explainCapabilities(posture), explainPrivileges(posture), explainSeccomp(posture), explainLandlock(posture), ...explainLimits(posture)];
}

function explainCapabilities({ capabilities, namespaces: { user } }: Posture): Wall {
  const held = [...new Set([...capabilities.effective, ...capabilities.permitted, ...capabilities.ambient])];
  const what = held.length === 0 ? "none" : `${held.length}: ${shorten(held, 6)}`;
  if (held.length === 0) return makeWall("capabilities", "closed", what, "it may do nothing that is root's to do");
  const word = "brig run, without --cap-add; --cap-drop NAME";
  if (user.state === "own") return makeWall("capabilities", "narrow", what, "they count in its own namespaces alone, and let it reach much more of the kernel's code", word);
  if (user.state === "unknown") return makeWall("capabilities", "unknown", what, "it cannot be seen whether they count on the host", word);
  const decisive = held.filter((name) => DECISIVE.has(name));
  if (decisive.length === 0) return makeWall("capabilities", "narrow", what, "they count on the host", word);
  return makeWall("capabilities", "open", what, `they count on the host, where any of ${shorten(decisive, 3)} amounts to root`, word);
}

function shorten(names: readonly string[], most: number): string {
  return names.length > most + 1 ? `${names.slice(0, most).join(", ")} and ${names.length - most} more` : names.join(", ");
}

function explainPrivileges({ noNewPrivileges, capabilities }: Posture): Wall {
  if (noNewPrivileges) return makeWall("gaining privileges", "closed", "no_new_privs is set", "setuid programs and file capabilities give it nothing");
  const bounding = capabilities.bounding.length;
  if (bounding === 0) return makeWall("gaining privileges", "narrow", "no_new_privs is not set; no capability in the bounding set", "a setuid program makes it another user, without that user's capabilities", "brig run, without --new-privileges");
  return makeWall("gaining privileges", "open", `no_new_privs is not set; ${bounding} capabilities in the bounding set`, "a setuid program that it can reach (su, sudo, mount) makes it more than it is", "brig run, without --new-privileges");
}

function explainSeccomp({ seccomp }: Posture): Wall {
  if (seccomp.mode === "none") return makeWall("system calls", "open", "no seccomp filter", "every system call of the kernel can be tried, those that have had holes too (bpf, io_uring, keyctl, userfaultfd)", "--seccomp default");
  if (seccomp.mode === "strict") return makeWall("system calls", "closed", "strict: read, write, exit", "nothing else can be called");
  if (seccomp.allowed !== undefined) return makeWall("system calls", "closed", `a seccomp filter: ${seccomp.allowed} calls allowed`, "all others are refused");
  const count = seccomp.filters === undefined ? "a seccomp filter" : `${seccomp.filters} seccomp filter${seccomp.filters === 1 ? "" : "s"}`;
  return makeWall("system calls", "narrow", `${count}, what it refuses cannot be seen from outside`, "some calls are refused", "--seccomp default");
}

function explainLandlock({ landlock }: Posture): Wall {
  if (landlock.state === "restricted") return makeWall("Landlock", "closed", landlock.what || "restricted", "a second wall around files and ports, should a mount be wrong");
  if (landlock.state === "none") return makeWall("Landlock", "open", "no rules", "mounts and permissions alone guard the files", "--landlock require");
  return makeWall("Landlock", "unknown", "the kernel does not show it from outside", "it may be restricted or not", "--landlock require");
}

function explainLimits({ limits }: Posture): Wall[] {
  return [
    makeLimit("memory", limits.memory, describeBytes, "it can take all memory, and the kernel may kill somebody else for it", "--memory 512MiB"),
    makeLimit("process count", limits.pids, (value) => `at most ${value} processes and threads`, "a fork bomb stops the whole host", "--pids 1024"),
    makeLimit("processor time", limits.cpus, (value) => `at most ${Number(value.toFixed(2))} processors`, "it can keep every processor busy; others only get their share", "--cpus 1"),
  ];
}

function makeLimit(wall: string, value: number | undefined, describe: (value: number) => string, openMeans: string, word: string): Wall {
  if (value !== undefined) return makeWall(wall, "closed", describe(value), "the kernel holds it to that");
  return makeWall(wall, wall === "processor time" ? "narrow" : "open", "no limit", openMeans, word);
}

function describeBytes(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  const step = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(bytes || 1) / 10)));
  return `at most ${Number((bytes / 1024 ** step).toFixed(1))} ${units[step]}`;
}
