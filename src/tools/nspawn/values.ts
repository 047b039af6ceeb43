import { posix } from "node:path";
import { CAPABILITY_NAMES } from "../../host/capabilities.js";
import { BrigError } from "../../error/brig-error.js";
import { RLIMIT_INFINITY, RLIMIT_NAMES } from "../../spec/rlimit-names.js";
import { type CustomMount, EXIT_FAILURE, type NspawnOptions, type PrivateUsers, type Timezone, type Volatile } from "./options.js";

/** Words that are not understood, with systemd-nspawn's exit status. */
export function refuseWords(message: string, hint?: string): BrigError {
  return new BrigError(message, { code: "BRIG_BAD_OPTION", exitCode: EXIT_FAILURE, hint });
}

/** systemd's words for yes and no (systemd.syntax(7)). */
export function parseBoolean(text: string): boolean | undefined {
  const word = text.toLowerCase();
  if (["1", "yes", "y", "true", "t", "on"].includes(word)) return true;
  return ["0", "no", "n", "false", "f", "off"].includes(word) ? false : undefined;
}

export function requireBoolean(text: string, option: string): boolean {
  const value = parseBoolean(text);
  if (value === undefined) throw refuseWords(`Failed to parse ${option} argument: ${text}`, "yes or no");
  return value;
}

/** A name that may be a host's (hostname_is_valid): at most 64 characters, labels of letters, digits, "-" and "_". */
export function isHostname(text: string): boolean {
  return text.length <= 64 && text.split(".").every((label) => /^[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?$/.test(label));
}

/** What of a folder's name may be a machine's (hostname_cleanup). */
export function cleanHostname(text: string): string {
  return text.replace(/[^A-Za-z0-9._-]/g, "").replace(/\.{2,}/g, ".").replace(/-*\.-*/g, ".").replace(/^[.-]+|[.-]+$/g, "").slice(0, 63);
}

export function parseUuid(text: string): string {
  const plain = text.replaceAll("-", "").toLowerCase();
  if (!/^[0-9a-f]{32}$/.test(plain) || (text.includes("-") && !/^\w{8}(-\w{4}){3}-\w{12}$/.test(text))) throw refuseWords(`Invalid UUID: ${text}`);
  if (/^0+$/.test(plain)) throw refuseWords("Machine UUID may not be all zeroes.");
  return formatUuid(plain);
}

export function formatUuid(plain: string): string {
  return plain.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export function parseUsers(text: string): PrivateUsers {
  if (text === "pick" || text === "identity") return { kind: text };
  const yes = parseBoolean(text);
  // "0" and "1" are no and yes, as systemd-nspawn reads them
  if (yes !== undefined) return { kind: yes ? "owner" : "no" };
  const match = /^(\d+)(?::(\d+))?$/.exec(text);
  const base = Number(match?.[1]);
  const count = Number(match?.[2] ?? 0x10000);
  if (!match || base + count > 0xffffffff || count === 0) throw refuseWords(`Failed to parse UID/GID range: ${text}`, "UIDBASE or UIDBASE:NUIDS, such as 524288:65536");
  return { kind: "fixed", base, count };
}

export function parseVolatile(text: string): Volatile {
  const yes = parseBoolean(text);
  if (yes !== undefined) return yes ? "yes" : "no";
  if (text === "state" || text === "overlay") return text;
  throw refuseWords(`Failed to parse --volatile= argument: ${text}`, "yes, no, state or overlay");
}

export function parseTimezone(text: string): Timezone {
  const modes: readonly string[] = ["off", "copy", "bind", "symlink", "delete", "auto"];
  if (modes.includes(text)) return text as Timezone;
  throw refuseWords(`Failed to parse /etc/localtime mode: ${text}`, modes.join(", "));
}

/** Words between colons; a backslash keeps a colon. */
export function splitColons(text: string): string[] {
  const fields = [""];
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "\\" && at + 1 < text.length) fields[fields.length - 1] += text[++at]!;
    else if (text[at] === ":") fields.push("");
    else fields[fields.length - 1] += text[at]!;
  }
  return fields;
}

const ABSENT = "host path";

/** SOURCE[:DESTINATION[:OPTIONS]]; "+" in front of a source is inside of the root, "-" lets it be missing. */
export function parseBindMount(text: string, readOnly: boolean, option: string): CustomMount {
  const [first = "", second, options, ...more] = splitColons(text);
  if (more.length > 0) throw refuseWords(`Failed to parse ${option} argument ${text}: Invalid argument`, "SOURCE[:DESTINATION[:OPTIONS]]");
  const optional = first.startsWith("-");
  const source = optional ? first.slice(1) : first;
  const destination = second === undefined || second === "" ? source.replace(/^\+/, "") : second;
  if (source !== "" && !source.replace(/^\+/, "").startsWith("/")) throw refuseWords(`Failed to parse ${option} argument ${text}: the ${ABSENT} is not absolute`, "write it from / on");
  const mount: CustomMount = { kind: "bind", source, destination: requireDestination(destination, text, option), readOnly, optional, recursive: true, idmap: "no", text: `${option}${text}` };
  for (const word of (options ?? "").split(",").filter(Boolean)) {
    if (word === "rbind" || word === "norbind") mount.recursive = word === "rbind";
    else if (word === "idmap") mount.idmap = "id";
    else if (word === "rootidmap") mount.idmap = "rootid";
    else if (word === "noidmap") mount.idmap = "no";
    else throw refuseWords(`Unknown bind option, ignoring: ${word}`, "rbind, norbind, idmap, noidmap and rootidmap");
  }
  return mount;
}

export function requireDestination(path: string, text: string, option: string): string {
  const normal = posix.normalize(path);
  if (!path.startsWith("/") || path.split("/").includes("..")) throw refuseWords(`Failed to parse ${option} argument ${text}: ${path} is no absolute path`, "a path inside, without ..");
  if (normal === "/") throw refuseWords(`Failed to parse ${option} argument ${text}: the root itself cannot be mounted over`, "--directory= names the root");
  return normal.replace(/(.)\/$/, "$1");
}

export function parseTmpfsMount(text: string): CustomMount {
  const cut = text.indexOf(":");
  const path = cut < 0 ? text : text.slice(0, cut);
  const options = cut < 0 ? ["mode=0755"] : text.slice(cut + 1).split(",").filter(Boolean);
  return { kind: "tmpfs", destination: requireDestination(path, text, "--tmpfs="), options, text: `--tmpfs=${text}` };
}

/** LOWER…:UPPER:DESTINATION; of two, the last is destination and upper side; "" is a scratch folder. */
export function parseOverlayMount(text: string, readOnly: boolean): CustomMount {
  const option = readOnly ? "--overlay-ro=" : "--overlay=";
  const paths = splitColons(text);
  if (paths.length < 2) throw refuseWords(`Failed to parse ${option} argument ${text}: needs at least two colon-separated folders`, "LOWER:UPPER:DESTINATION");
  const destination = requireDestination(paths.at(-1)!, text, option);
  const layers = paths.length === 2 ? paths.map((path, index) => (index === 1 ? destination : path)) : paths.slice(0, -1);
  for (const path of layers) if (path !== "" && !path.replace(/^\+/, "").startsWith("/")) throw refuseWords(`Failed to parse ${option} argument ${text}: ${path} is not absolute`);
  const kind = { kind: "overlay" as const, destination, text: `${option}${text}` };
  return readOnly ? { ...kind, lower: layers, upper: undefined } : { ...kind, lower: layers.slice(0, -1), upper: layers.at(-1) };
}

export function parseCapabilities(text: string): string[] {
  return text.split(",").filter(Boolean).flatMap((word) => {
    if (word === "all") return [...CAPABILITY_NAMES];
    const name = word.toUpperCase();
    const found = CAPABILITY_NAMES.find((known) => known === name || known === `CAP_${name}`) ?? (/^\d+$/.test(word) ? CAPABILITY_NAMES[Number(word)] : undefined);
    if (found === undefined) throw refuseWords(`Failed to parse capability: ${word}`, "see capabilities(7)");
    return [found];
  });
}

/** NAME=SOFT[:HARD], with or without RLIMIT_. */
export function parseLimit(text: string): NspawnOptions["rlimits"][number] {
  const match = /^([A-Za-z_]+)=([^:]+)(?::(.+))?$/.exec(text);
  if (!match) throw refuseWords(`Can't parse resource limit assignment: ${text}`, "NAME=SOFT[:HARD], such as nofile=1024:4096");
  const name = match[1]!.toUpperCase().replace(/^(RLIMIT_|LIMIT)/, "");
  const type = RLIMIT_NAMES.find((known) => known === `RLIMIT_${name}`);
  if (type === undefined) throw refuseWords(`Unknown resource limit: ${match[1]}`);
  const soft = readAmount(match[2]!, text);
  const hard = match[3] === undefined ? soft : readAmount(match[3], text);
  if (soft > hard) throw refuseWords(`Can't parse resource limit: ${text}`, "the soft limit comes first and is the lower");
  return { type, soft, hard };
}

const UNITS: Record<string, number> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40, P: 2 ** 50 };

function readAmount(text: string, whole: string): number {
  if (/^(infinity|-1)$/.test(text)) return RLIMIT_INFINITY;
  const match = /^(\d+)([KMGTP]?)$/.exec(text);
  if (!match) throw refuseWords(`Can't parse resource limit: ${whole}`);
  return Number(match[1]) * UNITS[match[2]!]!;
}

/** HOST[:INNER], both names of interfaces. */
export function parseLinkPair(text: string, option: string): { host: string; inner: string } {
  const [host = "", inner = host, ...more] = text.split(":");
  if (more.length > 0) throw refuseWords(`Failed to parse ${option} argument: ${text}`);
  for (const name of [host, inner]) requireLinkName(name);
  return { host, inner };
}

/** dev_valid_name() of Linux, and what ip(8) would take for a word of its own. */
export function requireLinkName(name: string): string {
  if (!/^(?!\.{1,2}$)[^\s/:"'\\-][^\s/:"'\\]{0,14}$/.test(name)) throw refuseWords(`Interface name is not valid: ${name}`);
  return name;
}

export function parsePort(text: string): NspawnOptions["ports"][number] {
  const match = /^(?:(tcp|udp):)?(\d+)(?::(\d+))?$/.exec(text);
  const host = Number(match?.[2]);
  const inner = Number(match?.[3] ?? match?.[2]);
  if (!match || host < 1 || host > 65535 || inner < 1 || inner > 65535) throw refuseWords(`Failed to parse host port: ${text}`, "[PROTOCOL:]HOSTPORT[:CONTAINERPORT], such as tcp:8080:80");
  return { protocol: (match[1] as "tcp" | "udp" | undefined) ?? "tcp", host, inner };
}

/** systemd.exec(5), "Credentials": C escapes in a value. */
export function unescapeC(text: string): string {
  const simple: Record<string, string> = { a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v", s: " ", "\\": "\\", '"': '"', "'": "'" };
  return text.replace(/\\(x[0-9a-fA-F]{2}|[0-7]{3}|.)/g, (whole, code: string) => {
    if (code.startsWith("x")) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    if (/^[0-7]{3}$/.test(code)) return String.fromCharCode(Number.parseInt(code, 8));
    return simple[code] ?? whole;
  });
}
