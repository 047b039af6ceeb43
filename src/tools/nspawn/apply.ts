import { constants } from "node:os";
import { readCredential } from "./credentials.js";
import { type LinkJournal, type NspawnOptions, RESOLV_CONF_MODES, type ResolvConf } from "./options.js";
import {
  isHostname, parseBindMount, parseCapabilities, parseLimit, parseLinkPair, parseOverlayMount, parsePort, parseTimezone, parseTmpfsMount, parseUsers, parseUuid,
  parseVolatile, refuseWords, requireBoolean, requireDestination, requireLinkName, unescapeC,
} from "./values.js";

/** An option by its long name; "journal" is -j, "users" is -U. */
export type Key = keyof typeof APPLIERS | "help" | "version";

type Apply = (options: NspawnOptions, value: string, warnings: string[]) => void;

/** Puts an option in its place. `value` is undefined for one without. */
export function applyOption(options: NspawnOptions, key: Key, value: string | undefined, warnings: string[]): void {
  if (key === "help" || key === "version") return;
  const apply: Apply = APPLIERS[key];
  apply(options, value ?? "", warnings);
}

/** An empty value takes back what was said before. */
function push<T>(list: T[], value: string, parse: (value: string) => T | T[]): void {
  if (value === "") list.length = 0;
  else list.push(...[parse(value)].flat() as T[]);
}

function cannot(option: string, why: string, hint: string): Apply {
  return () => {
    throw refuseWords(`${option} is not supported by brig: ${why}`, hint);
  };
}

function ignore(message: string): Apply {
  return (_, value, warnings) => void warnings.push(message.replace("%s", value));
}

function oneOf<T extends string>(value: string, words: readonly T[], option: string): T {
  const found = words.find((word) => word === value);
  if (found === undefined) throw refuseWords(`Failed to parse ${option} argument: ${value}`, `one of ${words.join(", ")}`);
  return found;
}

const JOURNAL_MODES: readonly LinkJournal[] = ["no", "host", "try-host", "guest", "try-guest", "auto"];

const APPLIERS = {
  "no-pager": () => {},
  quiet: (options) => void (options.quiet = true),
  settings: (options, value) => {
    const trusted = value === "override" || value === "trusted";
    options.settings = trusted ? value : requireBoolean(value, "--settings=") ? "yes" : "no";
  },
  directory: (options, value) => void (options.directory = value),
  template: (options, value) => void (options.template = value),
  ephemeral: (options) => void (options.ephemeral = true),
  image: (options, value) => void (options.image = value),
  "oci-bundle": cannot("--oci-bundle=", "a bundle is a sandbox, not a machine", "brig run --spec BUNDLE"),
  "root-hash": cannot("--root-hash=", "it does not set up dm-verity", "verify the image first: veritysetup verify DATA HASHES ROOTHASH"),
  "root-hash-sig": cannot("--root-hash-sig=", "it does not set up dm-verity", "verify the image first"),
  "verity-data": cannot("--verity-data=", "it does not set up dm-verity", "verify the image first"),
  "read-only": (options) => void (options.readOnly = true),
  volatile: (options, value) => void (options.volatile = value === "" ? "yes" : parseVolatile(value)),
  "pivot-root": (options, value) => {
    const [root = "", old, ...more] = value.split(":");
    if (more.length > 0) throw refuseWords(`Failed to parse --pivot-root= argument ${value}: Invalid argument`);
    options.pivotRoot = { root: requireDestination(root, value, "--pivot-root="), ...(old === undefined ? {} : { old: requireDestination(old, value, "--pivot-root=") }) };
  },
  "as-pid2": (options) => void (options.mode = "pid2"),
  boot: (options) => void (options.mode = "boot"),
  chdir: (options, value) => {
    if (!value.startsWith("/")) throw refuseWords(`Working directory ${value} is not an absolute path.`);
    options.chdir = value;
  },
  setenv: (options, value) => {
    const cut = value.indexOf("=");
    const name = cut < 0 ? value : value.slice(0, cut);
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw refuseWords(`Failed to assign environment variable ${value}: Invalid argument`);
    options.environment.push({ name, value: cut < 0 ? undefined : value.slice(cut + 1) });
  },
  user: (options, value) => void (options.user = value),
  "kill-signal": (options, value) => {
    if (value === "list") throw refuseWords("--kill-signal=list prints nothing here", "kill -l");
    const name = value.toUpperCase().replace(/^(?!SIG|\d)/, "SIG");
    if (!Object.hasOwn(constants.signals, name) && !/^SIGRTMIN(\+\d{1,2})?$/.test(name) && !/^([1-9]|[1-5]\d|6[0-4])$/.test(value)) throw refuseWords(`Cannot parse signal: ${value}`);
    options.killSignal = name;
  },
  "notify-ready": (options, value) => void (options.notifyReady = requireBoolean(value, "--notify-ready=")),
  "suppress-sync": (_, value) => {
    if (requireBoolean(value, "--suppress-sync=")) throw refuseWords("--suppress-sync=yes is not supported by brig: its seccomp filters answer calls with an error, and not with success", "leave it out");
  },
  machine: (options, value) => {
    if (value === "") return void delete options.machine;
    if (!isHostname(value) || !/^[A-Za-z0-9]/.test(value) || value.length > 63) throw refuseWords(`Invalid machine name: ${value}`, "letters, digits, - and ., at most 63");
    options.machine = value;
  },
  hostname: (options, value) => {
    if (value === "") return void delete options.hostname;
    if (!isHostname(value)) throw refuseWords(`Invalid hostname: ${value}`);
    options.hostname = value;
  },
  uuid: (options, value) => void (options.uuid = parseUuid(value)),
  slice: (options, value) => void (options.slice = value),
  property: (options, value) => void options.properties.push(value),
  register: (options, value) => void (options.register = requireBoolean(value, "--register=")),
  "keep-unit": (options) => void (options.keepUnit = true),
  "private-users": (options, value) => void (options.users = value === "" ? { kind: "owner" } : parseUsers(value)),
  "private-users-chown": (options) => void (options.ownership = "chown"),
  "private-users-ownership": (options, value) => void (options.ownership = oneOf(value, ["off", "chown", "map", "auto"] as const, "--private-users-ownership=")),
  users: (options) => {
    options.users = { kind: "pick" };
    options.ownership ??= "auto";
  },
  "private-network": (options) => void (options.privateNetwork = true),
  "network-interface": (options, value) => {
    const { host, inner } = parseLinkPair(value, "--network-interface=");
    options.interfaces.push({ name: host, inner });
    options.privateNetwork = true;
  },
  "network-macvlan": (options, value) => {
    const { host, inner } = parseLinkPair(value, "--network-macvlan=");
    options.macvlan.push({ on: host, inner: inner === host ? `mv-${host}`.slice(0, 15) : inner });
    options.privateNetwork = true;
  },
  "network-ipvlan": (options, value) => {
    const { host, inner } = parseLinkPair(value, "--network-ipvlan=");
    options.ipvlan.push({ on: host, inner: inner === host ? `iv-${host}`.slice(0, 15) : inner });
    options.privateNetwork = true;
  },
  "network-veth": (options) => void (options.veth = options.privateNetwork = true),
  "network-veth-extra": (options, value) => {
    options.vethExtra.push(parseLinkPair(value, "--network-veth-extra="));
    options.privateNetwork = true;
  },
  "network-bridge": (options, value) => {
    options.bridge = requireLinkName(value);
    options.veth = options.privateNetwork = true;
  },
  "network-zone": (options, value) => {
    if (!/^[A-Za-z0-9_.-]{1,12}$/.test(value)) throw refuseWords(`Network zone name not valid: ${value}`, "at most 12 letters, digits, - and _");
    options.zone = value;
    options.veth = options.privateNetwork = true;
  },
  "network-namespace-path": (options, value) => {
    if (!value.startsWith("/")) throw refuseWords(`Failed to parse --network-namespace-path= argument: ${value} is not an absolute path`);
    options.namespacePath = value;
  },
  port: (options, value) => void options.ports.push(parsePort(value)),
  capability: (options, value) => void options.addCapabilities.push(...parseCapabilities(value)),
  "drop-capability": (options, value) => void options.dropCapabilities.push(...parseCapabilities(value)),
  "ambient-capability": (options, value) => void options.ambientCapabilities.push(...parseCapabilities(value)),
  "no-new-privileges": (options, value) => void (options.noNewPrivileges = requireBoolean(value, "--no-new-privileges=")),
  "system-call-filter": (options, value) => {
    const denies = value.startsWith("~");
    (denies ? options.deniedCalls : options.allowedCalls).push(...value.slice(denies ? 1 : 0).split(/[\s,]+/).filter(Boolean));
  },
  "selinux-context": (options, value) => void (options.selinuxContext = value),
  "selinux-apifs-context": (options, value) => void (options.selinuxApifsContext = value),
  rlimit: (options, value) => void options.rlimits.push(parseLimit(value)),
  "oom-score-adjust": (options, value) => {
    const score = /^[+-]?\d+$/.test(value) ? Number(value) : Number.NaN;
    if (!(score >= -1000 && score <= 1000)) throw refuseWords(`Failed to parse --oom-score-adjust= parameter: ${value}`, "a number from -1000 to 1000");
    options.oomScoreAdjust = score;
  },
  "cpu-affinity": (options, value) => {
    if (!/^\d+(-\d+)?([,\s]\s*\d+(-\d+)?)*$/.test(value)) throw refuseWords(`Failed to parse CPU affinity mask ${value}`, "such as 0-3,7");
    options.cpuAffinity = value.split(/[,\s]+/).join(",");
  },
  personality: (options, value) => void (options.personality = oneOf(value, ["x86-64", "x86", "arm64", "arm"] as const, "--personality=")),
  "resolv-conf": (options, value) => void (options.resolvConf = oneOf<ResolvConf>(value, RESOLV_CONF_MODES, "--resolv-conf=")),
  timezone: (options, value) => void (options.timezone = parseTimezone(value)),
  "link-journal": (options, value) => void (options.linkJournal = oneOf(value, JOURNAL_MODES, "--link-journal=")),
  journal: (options) => void (options.linkJournal = "try-guest"),
  bind: (options, value) => push(options.mounts, value, (text) => parseBindMount(text, false, "--bind=")),
  "bind-ro": (options, value) => push(options.mounts, value, (text) => parseBindMount(text, true, "--bind-ro=")),
  tmpfs: (options, value) => push(options.mounts, value, parseTmpfsMount),
  overlay: (options, value) => push(options.mounts, value, (text) => parseOverlayMount(text, false)),
  "overlay-ro": (options, value) => push(options.mounts, value, (text) => parseOverlayMount(text, true)),
  inaccessible: (options, value) => push(options.mounts, value, (text) => ({ kind: "inaccessible", destination: requireDestination(text, text, "--inaccessible="), text: `--inaccessible=${text}` })),
  "bind-user": (options, value) => {
    if (!/^[a-zA-Z_][a-zA-Z0-9_-]{0,31}$/.test(value)) throw refuseWords(`Invalid user name to bind: ${value}`);
    options.bindUsers.push(value);
  },
  console: (options, value) => void (options.console = value === "" ? "interactive" : oneOf(value, ["interactive", "read-only", "passive", "pipe"] as const, "--console=")),
  pipe: (options) => void (options.console = "pipe"),
  "set-credential": (options, value) => void options.credentials.push(splitCredential(value, (text) => unescapeC(text))),
  "load-credential": (options, value) => void options.credentials.push(splitCredential(value, readCredential)),
  "share-system": ignore("The --share-system option has been removed, ignoring."),
} satisfies Record<string, Apply>;

function splitCredential(text: string, read: (value: string) => string): { id: string; value: string } {
  const cut = text.indexOf(":");
  const id = cut < 0 ? text : text.slice(0, cut);
  if (!/^[^/\s]{1,255}$/.test(id) || id === "." || id === "..") throw refuseWords(`Credential name is not valid: ${id}`);
  if (cut < 0) throw refuseWords(`Missing value for credential: ${text}`, "ID:VALUE");
  return { id, value: read(text.slice(cut + 1)) };
}
