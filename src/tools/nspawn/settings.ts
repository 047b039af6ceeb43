import { dirname } from "node:path";
import { applyOption, type Key } from "./apply.js";
import type { NspawnContext } from "./context.js";
import type { ParsedNspawn } from "./grammar.js";
import { emptyOptions, type NspawnOptions } from "./options.js";
import { findTree } from "./root.js";
import { parseBoolean, refuseWords } from "./values.js";

/** What beats what: a group that the command line names is the command line's alone. */
type Group = "mode" | "mounts" | "network" | Key;

interface Setting {
  option: Key;
  group: Group;
  /** It opens something of the host: only root's own folders may hold it. */
  trusted?: boolean;
  /** Whether it takes yes or no: then "no" is the option's absence. */
  flag?: boolean;
}

const network = (option: Key, flag = false): Setting => ({ option, group: "network", trusted: true, flag });
const mount = (option: Key): Setting => ({ option, group: "mounts", trusted: true });
const plain = (option: Key): Setting => ({ option, group: option });
const guarded = (option: Key): Setting => ({ option, group: option, trusted: true });

/** systemd.nspawn(5) of systemd 252, by section and name. */
const SETTINGS: Record<string, Record<string, Setting>> = {
  Exec: {
    Boot: { option: "boot", group: "mode", flag: true },
    ProcessTwo: { option: "as-pid2", group: "mode", flag: true },
    Environment: plain("setenv"),
    User: plain("user"),
    WorkingDirectory: plain("chdir"),
    PivotRoot: plain("pivot-root"),
    Capability: guarded("capability"),
    DropCapability: plain("drop-capability"),
    AmbientCapability: guarded("ambient-capability"),
    NoNewPrivileges: plain("no-new-privileges"),
    KillSignal: plain("kill-signal"),
    Personality: plain("personality"),
    MachineID: plain("uuid"),
    PrivateUsers: guarded("private-users"),
    NotifyReady: plain("notify-ready"),
    SystemCallFilter: guarded("system-call-filter"),
    OOMScoreAdjust: guarded("oom-score-adjust"),
    CPUAffinity: guarded("cpu-affinity"),
    Hostname: plain("hostname"),
    ResolvConf: plain("resolv-conf"),
    Timezone: plain("timezone"),
    LinkJournal: guarded("link-journal"),
    Ephemeral: { option: "ephemeral", group: "ephemeral", flag: true },
    SuppressSync: guarded("suppress-sync"),
  },
  Files: {
    ReadOnly: { option: "read-only", group: "read-only", flag: true },
    Volatile: plain("volatile"),
    Bind: mount("bind"),
    BindReadOnly: mount("bind-ro"),
    TemporaryFileSystem: mount("tmpfs"),
    Inaccessible: mount("inaccessible"),
    Overlay: mount("overlay"),
    OverlayReadOnly: mount("overlay-ro"),
    BindUser: guarded("bind-user"),
    PrivateUsersOwnership: guarded("private-users-ownership"),
    PrivateUsersChown: { option: "private-users-chown", group: "private-users-ownership", trusted: true, flag: true },
  },
  Network: {
    // it only takes away
    Private: { option: "private-network", group: "network", flag: true },
    VirtualEthernet: network("network-veth", true),
    VirtualEthernetExtra: network("network-veth-extra"),
    Interface: network("network-interface"),
    MACVLAN: network("network-macvlan"),
    IPVLAN: network("network-ipvlan"),
    Bridge: network("network-bridge"),
    Zone: network("network-zone"),
    Port: guarded("port"),
  },
};
const LIMIT = /^Limit([A-Z]+)$/;

/** Root's own folders: what stands there is trusted. */
const FOLDERS = ["/etc/systemd/nspawn", "/run/systemd/nspawn"];

const GROUPS = new Map(Object.values(SETTINGS).flatMap((section) => Object.values(section).map(({ option, group }) => [option, group] as const)));

/**
 * The options with what a settings file says of the machine: `NAME.nspawn` in root's folders, else beside the tree, where
 * what opens something of the host is passed over with a warning. The command line has the last word, but with
 * --settings=override.
 * @throws BrigError BRIG_BAD_OPTION, with the file and line
 */
export function addSettings(parsed: ParsedNspawn, context: NspawnContext): ParsedNspawn {
  const mode = parsed.options.settings ?? "yes";
  const found = mode === "no" ? undefined : findFile(parsed.options, context);
  if (!found) return parsed;
  const warnings = [...parsed.warnings];
  const trusted = found.trusted || mode === "override" || mode === "trusted";
  const masked = mode === "override" ? new Set<Group>() : new Set([...parsed.given].map(groupOf));
  const entries = readEntries(found).filter(({ setting }) => !masked.has(setting.group)).filter((entry) => trusted || !entry.setting.trusted || !warnings.push(`Ignoring ${entry.name}= setting, file '${found.path}' is not trusted.`));
  const options = emptyOptions();
  const typed = (): void => parsed.typed.forEach(({ key, value }) => applyOption(options, key, value, []));
  if (mode === "override") typed();
  const words = entries.flatMap((entry) => applyEntry(options, entry, found.path, warnings));
  if (mode !== "override") typed();
  const command = parsed.options.command.length > 0 && !(mode === "override" && words.length > 0) ? parsed.options.command : words;
  return { ...parsed, options: { ...options, command }, warnings };
}

/** "-b" and "-a" are one question, all of the network is one, and so are all mounts. */
function groupOf(key: Key): Group {
  if (key === "users") return "private-users";
  if (key === "journal") return "link-journal";
  return GROUPS.get(key) ?? key;
}

interface Found {
  path: string;
  text: string;
  trusted: boolean;
}

function findFile(options: NspawnOptions, context: NspawnContext): Found | undefined {
  const tree = findTree(options, context);
  const name = `${options.machine ?? tree.name}.nspawn`;
  const places = [...FOLDERS.map((folder) => ({ folder, trusted: true })), { folder: dirname(tree.path), trusted: false }];
  for (const { folder, trusted } of places) {
    const path = `${folder === "/" ? "" : folder}/${name}`;
    const text = context.read(path);
    if (text !== undefined) return { path, text, trusted };
  }
  return undefined;
}

interface Entry {
  name: string;
  value: string;
  line: number;
  setting: Setting;
}

const PARAMETERS: Setting = { option: "boot", group: "mode" };

/** systemd.syntax(7): sections, comments, a backslash at the end goes on in the next line. */
function readEntries({ path, text }: Found): Entry[] {
  let section = "";
  const entries: Entry[] = [];
  const lines = text.replace(/\\\n/g, "\0").split("\n");
  lines.forEach((raw, index) => {
    const line = raw.replaceAll("\0", " ").trim();
    if (line === "" || line.startsWith("#") || line.startsWith(";")) return;
    const header = /^\[(.+)\]$/.exec(line);
    if (header) return void (section = header[1]!);
    const [, name, value] = /^([A-Za-z]+)\s*=\s*(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw refuseWords(`${path}:${index + 1}: Missing '=' in ${JSON.stringify(line)}.`);
    entries.push({ name, value, line: index + 1, setting: findSetting(section, name, `${path}:${index + 1}`) });
  });
  return entries;
}

/** A setting that is not understood could have been a wall: it is no mere warning, as it is to systemd. */
function findSetting(section: string, name: string, where: string): Setting {
  if (section === "Exec" && name === "Parameters") return PARAMETERS;
  if (section === "Exec" && LIMIT.test(name)) return { option: "rlimit", group: "rlimit", trusted: true };
  const setting = Object.hasOwn(SETTINGS, section) && Object.hasOwn(SETTINGS[section]!, name) ? SETTINGS[section]![name] : undefined;
  if (setting) return setting;
  throw refuseWords(`${where}: Unknown key name '${name}' in section '${section}'.`, "see systemd.nspawn(5) of systemd 252; --settings=no starts without the file");
}

/** The words of Parameters=, if that is what it is. */
function applyEntry(options: NspawnOptions, { name, value, line, setting }: Entry, path: string, warnings: string[]): string[] {
  try {
    if (name === "Parameters") return splitWords(value);
    const limit = LIMIT.exec(name)?.[1];
    const whole = new Set<Key>(["setenv", "bind", "bind-ro", "tmpfs", "overlay", "overlay-ro", "inaccessible", "port", "network-interface", "network-macvlan", "network-ipvlan"]);
    if (limit !== undefined) applyOption(options, "rlimit", `${limit}=${value}`, warnings);
    else if (setting.flag) applyFlag(options, setting.option, value, warnings);
    else for (const word of whole.has(setting.option) ? splitWords(value) : [value]) applyOption(options, setting.option, word, warnings);
    return [];
  } catch (error) {
    if (!(error instanceof Error && error.name === "BrigError")) throw error;
    throw refuseWords(`${path}:${line}: ${error.message}`, (error as Error & { hint?: string }).hint);
  }
}

function applyFlag(options: NspawnOptions, key: Key, value: string, warnings: string[]): void {
  const yes = parseBoolean(value);
  if (yes === undefined) throw refuseWords(`Failed to parse boolean value: ${value}`, "yes or no");
  if (yes) applyOption(options, key, undefined, warnings);
  else if (key === "boot" && options.mode === undefined) options.mode = "run";
}

/** Words with quotes, as systemd.syntax(7) has them; a quote may begin anywhere in a word. */
function splitWords(text: string): string[] {
  const words = text.match(/(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\\.|[^\s"'\\])+/g) ?? [];
  return words.map((word) => word.replace(/"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|\\(.)/g, (_, double?: string, single?: string, escaped?: string) => (double ?? single)?.replace(/\\(.)/g, "$1") ?? escaped ?? ""));
}
