import { BrigError } from "../error/brig-error.js";
import type { SandboxOptions } from "../policy/options.js";
import type { Origin } from "../spec/extension.js";
import type { OptionForm, ParsedWords, TypedOption } from "./grammar.js";

/** An option of `brig run` and the sandbox option that it sets. */
export interface RunOption extends OptionForm {
  key: keyof SandboxOptions;
  /** What becomes of the value: added to a list, a text, a number, on or off, "NAME=VALUE" into a table. */
  kind: "list" | "text" | "number" | "switch" | "table";
  /** The value that a switch stands for, where it is not true and false. */
  means?: { on: unknown; off?: unknown };
}

const files = "Files";
const network = "Network";
const desktop = "Display and sound";
const limits = "Limits";
const who = "Identity and environment";
const walls = "Walls";
const life = "Life";

/** Every option of `brig run`, in the order of its help. */
export const runOptions: RunOption[] = [
  { name: "read", short: "r", key: "read", kind: "list", value: "PATH", repeat: true, group: files, complete: "path", help: "show a host path, read-only, at its own place" },
  { name: "write", short: "w", key: "write", kind: "list", value: "PATH", repeat: true, group: files, complete: "path", help: "show a host path that the payload may change" },
  { name: "hide", key: "hide", kind: "list", value: "PATH", repeat: true, group: files, complete: "path", help: "make a path inside empty and unreadable" },
  { name: "tmpfs", key: "tmpfs", kind: "list", value: "PATH[:size=SIZE,mode=MODE]", repeat: true, group: files, help: "an empty folder in memory" },
  { name: "bind", short: "b", key: "bind", kind: "list", value: "SRC:DST[:ro]", repeat: true, group: files, complete: "path", help: "show a host path at another place" },
  { name: "root", key: "root", kind: "text", value: "DIR", group: files, complete: "folder", help: "a folder that becomes the root, read-only unless --write /" },
  { name: "resolv-conf", key: "resolvConf", kind: "text", value: "auto|bind|off", group: files, complete: ["auto", "bind", "off"], help: "with --root: the host's resolv.conf (default auto: when there is a network)" },
  { name: "timezone", key: "timezone", kind: "text", value: "bind|off", group: files, complete: ["bind", "off"], help: "with --root: the host's time zone (default off: the root's)" },
  { name: "cwd", short: "C", key: "cwd", kind: "text", value: "DIR", group: files, complete: "folder", help: "working folder inside" },
  { name: "project", key: "project", kind: "text", value: "read|write|none", group: files, complete: ["read", "write", "none"], help: "what of the working folder the payload sees (default read)" },
  { name: "ephemeral", key: "ephemeral", kind: "switch", group: files, help: "what is written to the working folder and to --write is dropped at the end" },
  { name: "diff", key: "ephemeral", kind: "switch", means: { on: "diff" }, group: files, help: "the same, and at the end list what was written" },
  { name: "commit", key: "ephemeral", kind: "switch", means: { on: "commit" }, group: files, help: "the same, and keep it when the payload ends with status 0" },

  { name: "net", key: "net", kind: "text", value: "none|host|user|…", group: network, complete: ["none", "host", "user", "veth", "bridge"], help: "none: loopback (default); user: outgoing through pasta; host: the host's; netns=NAME; as root veth, bridge[=NAME], macvlan=IFACE, and networks of brig network: NAME[:ip=ADDR,alias=NAME]" },
  { name: "allow-host", key: "allowHosts", kind: "list", value: "HOST[:PORT]", repeat: true, group: network, help: "only these hosts: registry.npmjs.org:443, '*.debian.org', 10.1.0.0/16:5432 (default ports 80 and 443)" },
  { name: "deny-host", key: "denyHosts", kind: "list", value: "HOST[:PORT]", repeat: true, group: network, help: "never these; without --allow-host everything else that has a name" },
  { name: "net-log", key: "netLog", kind: "text", value: "FILE", group: network, complete: "path", help: "what it tried to reach, as lines of JSON" },
  { name: "dns", key: "dns", kind: "list", value: "ADDR", repeat: true, group: network, help: "a resolver in place of the host's" },
  { name: "ip", key: "ip", kind: "text", value: "ADDR/BITS", group: network, help: "its own address" },
  { name: "gateway", key: "gateway", kind: "text", value: "ADDR", group: network, help: "its router" },
  { name: "mtu", key: "mtu", kind: "number", value: "BYTES", group: network, help: "the largest packet of its interface" },
  { name: "mac", key: "mac", kind: "text", value: "ADDR", group: network, help: "its interface's hardware address" },
  { name: "bandwidth", key: "bandwidth", kind: "text", value: "DOWN[:UP]", group: network, help: "most that it receives and sends, such as 10mbit:1mbit" },
  { name: "publish", short: "p", key: "publish", kind: "list", value: "[[ADDR:]HOST:]GUEST[/udp]", repeat: true, group: network, help: "with --net user or a named network: a host port that leads inside" },

  { name: "x11", key: "x11", kind: "text", value: "xvfb|xephyr|host|none", bare: "auto", group: desktop, complete: ["xvfb", "xephyr", "host", "none"], help: "a display of its own: in memory, in a window, or the host's as a client that it does not trust (default: what is best here)" },
  { name: "x11-size", key: "x11Size", kind: "text", value: "WIDTHxHEIGHT", group: desktop, help: "the screen of --x11=xvfb and xephyr (default 1280x800)" },
  { name: "wayland", key: "wayland", kind: "switch", group: desktop, help: "show the socket of the Wayland compositor" },
  { name: "audio", key: "audio", kind: "switch", group: desktop, help: "show the sockets of PulseAudio and PipeWire" },

  { name: "memory", short: "m", key: "memory", kind: "text", value: "SIZE", group: limits, help: "most memory, such as 512MiB, or none (default: half of the host's)" },
  { name: "pids", key: "pids", kind: "text", value: "N", group: limits, help: "most processes and threads, or none (default 1024)" },
  { name: "cpus", key: "cpus", kind: "number", value: "N", group: limits, help: "processors' worth of time, such as 1.5" },
  { name: "cpuset", key: "cpuset", kind: "text", value: "LIST", group: limits, help: "which processors, such as 0-3,7" },
  { name: "timeout", key: "timeoutMs", kind: "text", value: "TIME", group: limits, help: "end it after this time, such as 30s" },
  { name: "grace", key: "graceMs", kind: "text", value: "TIME", group: limits, help: "from there to SIGKILL (default 10s)" },
  { name: "rlimit", key: "rlimits", kind: "list", value: "NAME=SOFT[:HARD]", repeat: true, group: limits, help: "a limit of setrlimit(2), such as nofile=1024" },
  { name: "nice", key: "nice", kind: "number", value: "N", group: limits, help: "scheduling priority, -20 to 19" },
  { name: "oom-score-adj", key: "oomScoreAdj", kind: "number", value: "N", group: limits, help: "who dies first when memory runs out, -1000 to 1000" },

  { name: "env", short: "e", key: "env", kind: "list", value: "NAME[=VALUE]", repeat: true, group: who, help: "set a variable, or take the caller's" },
  { name: "inherit-env", key: "inheritEnv", kind: "switch", group: who, help: "the caller's whole environment" },
  { name: "user", short: "u", key: "user", kind: "text", value: "UID[:GID]", group: who, help: "who the payload is inside" },
  { name: "hostname", key: "hostname", kind: "text", value: "NAME", group: who, help: "host name inside (default brig)" },
  { name: "umask", key: "umask", kind: "text", value: "MODE", group: who, help: "file mode creation mask" },

  { name: "cap-add", key: "capAdd", kind: "list", value: "CAP", repeat: true, group: walls, help: "keep a capability (default: none), or all" },
  { name: "cap-drop", key: "capDrop", kind: "list", value: "CAP", repeat: true, group: walls, help: "with --cap-add all: but not this one" },
  { name: "seccomp", key: "seccomp", kind: "text", value: "default|nested|none|FILE", group: walls, complete: "path", help: "system call filter; nested: for browsers and others with a sandbox of their own; FILE is OCI seccomp JSON" },
  { name: "landlock", key: "landlock", kind: "text", value: "auto|require|none", group: walls, complete: ["auto", "require", "none"], help: "a second wall around files (default: where the kernel has it)" },
  { name: "share", key: "share", kind: "list", value: "NAMESPACE", repeat: true, group: walls, complete: ["pid", "ipc", "uts", "net", "user", "cgroup", "time"], help: "share a namespace with the host" },
  { name: "new-privileges", key: "newPrivileges", kind: "switch", group: walls, help: "setuid programs may gain privileges inside" },
  { name: "device", key: "devices", kind: "list", value: "PATH", repeat: true, group: walls, complete: "path", help: "show a device, such as /dev/kvm" },
  { name: "sysctl", key: "sysctl", kind: "table", value: "NAME=VALUE", repeat: true, group: walls, help: "a kernel setting of the sandbox's own namespaces" },

  { name: "name", short: "n", key: "name", kind: "text", value: "NAME", group: life, help: "a name for brig exec, logs, stop" },
  { name: "detach", short: "d", key: "detach", kind: "switch", group: life, help: "run in the background and print the id" },
  { name: "tty", short: "t", key: "tty", kind: "switch", negatable: true, means: { on: "always", off: "never" }, group: life, help: "a terminal of its own (default: when the caller has one)" },
  { name: "init", key: "init", kind: "switch", negatable: true, group: life, help: "pid 1 of brig's own (default on)" },
  { name: "die-with-parent", key: "dieWithParent", kind: "switch", negatable: true, group: life, help: "end when the starting process ends (default on, unless detached)" },
  { name: "keep", key: "keep", kind: "switch", negatable: true, group: life, help: "keep the ended sandbox's record until brig rm" },
  { name: "label", key: "labels", kind: "table", value: "NAME=VALUE", repeat: true, group: life, help: "a label for brig ps and inspect" },
];

const byName = new Map(runOptions.map((option) => [option.name, option]));

/** What flags, and a profile below them, ask for, with the origin of each by JSON pointer. */
export interface AskedOptions {
  options: SandboxOptions;
  origins: Record<string, Origin>;
}

/** Adds the flags to what a profile said: lists grow, tables are merged, the rest is replaced. */
export function readRunOptions(words: ParsedWords, base: AskedOptions = { options: {}, origins: {} }): AskedOptions {
  const asked: AskedOptions = { options: structuredClone(base.options), origins: { ...base.origins } };
  for (const typed of words.typed) {
    const option = byName.get(typed.name);
    if (option) setOption(asked, option, typed);
  }
  return asked;
}

function setOption(asked: AskedOptions, option: RunOption, typed: TypedOption): void {
  const fields = asked.options as Record<string, unknown>;
  const pointer = `/${option.key}`;
  const origin: Origin = { kind: "flag", text: typed.text };
  if (option.kind === "list") {
    const list = toList(fields[option.key]);
    asked.origins[`${pointer}/${list.push(typed.value) - 1}`] = origin;
    fields[option.key] = list;
    return;
  }
  asked.origins[pointer] = origin;
  if (option.kind === "table") fields[option.key] = { ...(fields[option.key] as object | undefined), ...readPair(option, typed) };
  else fields[option.key] = readValue(option, typed);
}

/** A profile may give the environment as a table. */
function toList(value: unknown): unknown[] {
  if (Array.isArray(value)) return [...value];
  return Object.entries((value ?? {}) as Record<string, string>).map(([name, text]) => `${name}=${text}`);
}

function readPair(option: RunOption, typed: TypedOption): Record<string, string> {
  const split = typed.value.indexOf("=");
  if (split < 1) throw refuse(option, typed, `${option.value}`);
  return { [typed.value.slice(0, split)]: typed.value.slice(split + 1) };
}

function readValue(option: RunOption, typed: TypedOption): unknown {
  if (option.kind === "switch") return typed.on ? (option.means?.on ?? true) : (option.means?.off ?? false);
  if (option.key === "pids") return typed.value === "none" ? "none" : readNumber(option, typed);
  if (option.kind === "number") return readNumber(option, typed);
  if (Array.isArray(option.complete) && option.name !== "net" && !option.complete.includes(typed.value) && typed.value !== option.bare) throw refuse(option, typed, option.complete.join(", "));
  return typed.value;
}

function readNumber(option: RunOption, typed: TypedOption): number {
  const number = Number(typed.value);
  if (typed.value.trim() === "" || !Number.isFinite(number)) throw refuse(option, typed, "a number");
  return number;
}

function refuse(option: RunOption, typed: TypedOption, wanted: string): BrigError {
  return new BrigError(`--${option.name} cannot be ${JSON.stringify(typed.value)}`, { code: "BRIG_BAD_VALUE", origin: typed.text, hint: `it is one of: ${wanted}` });
}
