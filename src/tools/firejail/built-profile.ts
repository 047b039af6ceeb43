import { basename } from "node:path";
import { isBeneath } from "../../host/mountinfo.js";

/** What a program was seen to use. */
export interface Used {
  /** Absolute, as it named them, of what the host has or what it made; and those that it wrote. */
  paths: ReadonlySet<string>;
  written: ReadonlySet<string>;
  executed: ReadonlySet<string>;
  /** "unix", "inet". */
  protocols: ReadonlySet<string>;
}

const PROGRAMS = /^(?:\/usr(?:\/local)?)?\/s?bin\/[^/]+$/;
const SHELLS = ["sh", "bash", "dash", "zsh", "fish", "ksh", "csh", "tcsh"];
const INTERPRETERS = /^(perl|python|ruby|lua|php|node|gjs)[\d.]*$/;
/** Folders of a home in which each program has its own. */
const SHARED = [".config", ".cache", ".local/share", ".local/state", ".local"];
/** What every profile of Firejail shows anyway (whitelist-common.inc, whitelist-usr-share-common.inc …). */
const COMMON = ["locale", "zoneinfo", "fonts", "icons", "themes", "mime", "glib-2.0", "ca-certificates", "terminfo", "i18n", "X11", "applications"];

/** A profile in Firejail's language that shows what the program used and closes the rest. */
export function buildProfile(program: string, { paths, written, executed, protocols }: Used, home: string): string {
  const names = [...new Set([...executed].filter((path) => PROGRAMS.test(path)).map((path) => basename(path)))].sort();
  const has = (pattern: RegExp): boolean => [...paths].some((path) => pattern.test(path));
  const when = (needed: boolean, line: string): string => (needed ? `#${line}` : line);
  const usesShell = names.some((name) => SHELLS.includes(name));
  const interprets = names.some((name) => INTERPRETERS.test(name));
  const online = protocols.has("inet") || protocols.has("inet6");
  const system = listSystem(paths);
  const sections = [
    [`# Firejail profile for ${program}`, "# Persistent local customizations", `include ${program}.local`, "# Persistent global definitions", "include globals.local"],
    listHome(paths, home).map((path) => `noblacklist ${path}`),
    ["include disable-common.inc", "include disable-devel.inc", when(hasOwnCode(executed, home), "include disable-exec.inc"), when(interprets, "include disable-interpreters.inc"), "include disable-programs.inc", when(usesShell, "include disable-shell.inc"), when(has(/\/(Documents|Pictures|Videos|Music|Desktop)(\/|$)/), "include disable-xdg.inc")],
    [...listMade(paths, written, home), ...listHome(paths, home).map((path) => `whitelist ${path}`), "include whitelist-common.inc", "include whitelist-runuser-common.inc"],
    [...system.map((path) => `whitelist ${path}`), "include whitelist-usr-share-common.inc", "include whitelist-var-common.inc"],
    ["caps.drop all", "ipc-namespace", online ? "netfilter" : "net none", when(has(/^\/dev\/dri/), "no3d"), "nodvd", "nogroups", "noinput", "nonewprivs", "noroot", when(has(/pulse|pipewire|^\/dev\/snd/), "nosound"), "notv", "nou2f", when(has(/^\/dev\/video/), "novideo"), `protocol ${[...new Set(["unix", ...protocols])].join(",")}`, "seccomp", "tracelog"],
    ["disable-mnt", ...(names.length > 0 ? [`private-bin ${names.join(",")}`] : []), "private-cache", when(has(/^\/dev\/(?!null|zero|full|random|urandom|tty|pts|ptmx|shm|std|fd)/), "private-dev"), `private-etc ${listEtc(paths).join(",")}`, when(has(/^\/tmp\/./), "private-tmp")],
    [when(has(/\/bus$|dbus/), "dbus-user none"), when(has(/system_bus_socket/), "dbus-system none")],
    ["memory-deny-write-execute", "restrict-namespaces"].map((line) => when(interprets, line)),
  ];
  return `${sections.filter((lines) => lines.length > 0).map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function hasOwnCode(executed: ReadonlySet<string>, home: string): boolean {
  return [...executed].some((path) => isBeneath(path, home) || isBeneath(path, "/tmp") || isBeneath(path, "/var"));
}

/** The entries of the home that were used: of those that programs share, what is in them. */
function listHome(paths: ReadonlySet<string>, home: string): string[] {
  const entries = [...paths].filter((path) => path !== home && isBeneath(path, home)).flatMap((path) => findEntry(path.slice(home.length + 1)) ?? []);
  return [...new Set(entries)].sort().map((entry) => `\${HOME}/${entry}`);
}

function findEntry(rest: string): string | undefined {
  const shared = SHARED.find((folder) => rest === folder || rest.startsWith(`${folder}/`));
  if (shared === undefined) return rest.split("/")[0];
  const [inside] = rest.slice(shared.length + 1).split("/");
  return inside ? `${shared}/${inside}` : undefined;
}

/** What the program made itself has to be there for a whitelist to show it. */
function listMade(paths: ReadonlySet<string>, written: ReadonlySet<string>, home: string): string[] {
  return listHome(written, home).flatMap((path) => {
    const whole = home + path.slice("${HOME}".length);
    return [...paths].some((each) => each !== whole && isBeneath(each, whole)) ? [`mkdir ${path}`] : [`mkfile ${path}`];
  });
}

function listSystem(paths: ReadonlySet<string>): string[] {
  const entries = [...paths].filter((path) => /^\/(usr\/share|var\/lib|var\/cache)\/./.test(path)).map((path) => path.split("/").slice(0, 4).join("/"));
  return [...new Set(entries)].filter((path) => !COMMON.includes(basename(path))).sort();
}

/** The linker's and the name service's files are always wanted. */
function listEtc(paths: ReadonlySet<string>): string[] {
  const names = [...paths].flatMap((path) => /^\/etc\/([^/,*?[\]]+)/.exec(path)?.[1] ?? []);
  return [...new Set(["alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "ld.so.preload", ...names])].sort();
}
