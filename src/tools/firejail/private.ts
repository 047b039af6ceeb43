import { lstatSync, readlinkSync, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { isLinkTo } from "../../host/programs.js";
import { describeOrigin } from "../../spec/origin.js";
import { leadsToFolder } from "./base.js";
import { isEnabled } from "./config.js";
import { byFirejail, type Draft, isRoot } from "./draft.js";
import { compileSegment, isPattern } from "./glob.js";
import { modeOf } from "./hide.js";
import { addHomeFiles } from "./home-files.js";
import { copyToHome } from "./private-home.js";
import { expandWords, findReal, refusePath, refuseRule } from "./paths.js";
import { findLast, hasRule, listValues, type Rule } from "./rule.js";

/** Folders with new content of their own: the home, /etc, /opt, /srv, programs. */
export function applyPrivate(draft: Draft): void {
  applyHome(draft);
  applyListed(draft, "private-opt", "/opt");
  applyListed(draft, "private-srv", "/srv");
  applyListed(draft, "private-etc", "/etc");
  applyPrograms(draft);
  refuseLibraries(draft);
}

function applyHome(draft: Draft): void {
  const rule = findLast(draft.rules, "private");
  const copied = listValues(draft.rules, "private-home");
  if (!rule && copied.length === 0) return;
  if (rule?.value) return useFolder(draft, rule);
  const { home } = draft.context.places;
  const origin = (rule ?? copied[0]!.rule).origin;
  if (isRoot(draft) && leadsToFolder("/root")) draft.view.cover("/root", "tmpfs", ["mode=0700"], origin);
  if (leadsToFolder("/home")) draft.view.cover("/home", "tmpfs", [isRoot(draft) ? "mode=0755" : "mode=0555"], origin);
  draft.view.cover(home, "tmpfs", ["mode=0700"], origin);
  addHomeFiles(draft);
  for (const { value, rule: from } of copied) copyToHome(draft, value, from);
}

/** private=DIR: the folder stands for the home, and what is written there stays. */
function useFolder(draft: Draft, rule: Rule): void {
  const { home } = draft.context.places;
  const [path = rule.value] = rule.value.startsWith("/") || /^[~$]/.test(rule.value) ? expandWords(draft, rule) : [resolve(draft.context.cwd, rule.value)];
  const real = findReal(path);
  if (real === undefined || !leadsToFolder(real)) throw refusePath(rule, `invalid private directory ${path}`);
  if (!isRoot(draft) && statSync(real).uid !== draft.context.host.euid) throw refusePath(rule, `private directory should be owned by the current user: ${path}`);
  draft.view.bind(home, real, rule.origin);
}

/** private-etc and its like: an empty folder with only what is named in it, read-only. */
function applyListed(draft: Draft, name: string, folder: string): void {
  const first = draft.rules.find((rule) => rule.name === name);
  if (!first || !leadsToFolder(folder)) return;
  if (name === "private-etc" && hasRule(draft.rules, "writable-etc")) throw refuseRule(first, "BRIG_BAD_VALUE", "private-etc and writable-etc exclude each other", "say one of them");
  const guarded = name === "private-etc" && !isRoot(draft) ? { noexec: true } : {};
  draft.view.cover(folder, "tmpfs", ["mode=0755"], first.origin);
  for (const { value, rule } of listValues(draft.rules, name)) if (value !== "none") showEntry(draft, folder, value, rule);
  draft.view.change(folder, { readonly: true, ...guarded }, first.origin);
  freeze(draft, folder);
}

/** A tmpfs that is read-only from the start could not be filled: the finished whole is made read-only instead. */
function freeze(draft: Draft, folder: string): void {
  const { layer } = draft.view.find(folder);
  if (layer.type === "tmpfs") layer.readonly = false;
  (draft.linux.readonlyPaths ??= []).push(folder);
}

function showEntry(draft: Draft, folder: string, value: string, rule: Rule): void {
  if (value.includes("/") || value === "." || value === "..") throw refusePath(rule, `"${value}" is an invalid filename: ${rule.name} takes names in ${folder}`);
  const names = isPattern(value) ? draft.context.folders.list(folder).filter(compileSegment(value)) : [value];
  for (const name of names) showOne(draft, `${folder}/${name}`, rule);
}

function showOne(draft: Draft, path: string, rule: Rule): void {
  draft.context.folders.exists(path);
  const stat = lstatSync(path, { throwIfNoEntry: false });
  const real = findReal(path);
  // not everything that a profile lists is on every host
  if (!stat || real === undefined) return;
  const inPlace = stat.isSymbolicLink() && dirname(real) === dirname(path) && real !== path;
  if (!inPlace) return void draft.view.bind(path, real, rule.origin, { readonly: true });
  draft.extension.files.push({ type: "symlink", path, target: readlinkSync(path) });
  draft.view.bind(real, real, rule.origin, { readonly: true });
}

const PROGRAM_FOLDERS = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/games", "/usr/local/games", "/usr/local/sbin", "/usr/sbin", "/sbin"];

/** private-bin: each folder of programs has the listed ones and nothing else. */
function applyPrograms(draft: Draft): void {
  const first = draft.rules.find((rule) => rule.name === "private-bin");
  if (!first) return;
  const folders = [...new Set(PROGRAM_FOLDERS.filter(leadsToFolder).flatMap((folder) => findReal(folder) ?? []))];
  const programs = collectPrograms(draft, folders);
  for (const folder of folders) {
    draft.view.cover(folder, "tmpfs", [`mode=${modeOf(folder)}`], first.origin);
    for (const [name, { target, source, rule }] of programs) {
      if (target !== undefined) draft.extension.files.push({ type: "symlink", path: `${folder}/${name}`, target });
      else draft.view.bind(`${folder}/${name}`, source, rule.origin, { readonly: true });
    }
    freeze(draft, folder);
  }
}

interface Program {
  /** On the host. */
  source: string;
  /** Where it is a link to another one of them. */
  target?: string;
  rule: Rule;
}

function collectPrograms(draft: Draft, folders: string[]): Map<string, Program> {
  const programs = new Map<string, Program>();
  for (const { value, rule } of listValues(draft.rules, "private-bin")) {
    if (value === "none") continue;
    const pattern = value.startsWith("/") ? basename(value) : value;
    if (pattern === "" || pattern.includes("/")) throw refusePath(rule, `private-bin takes names of programs, and ${value} is none`);
    for (const folder of listSearched(draft, folders)) if (addPrograms(draft, folder, pattern, rule, programs) && !isPattern(pattern)) break;
  }
  return programs;
}

function listSearched({ context }: Draft, folders: string[]): string[] {
  return isEnabled(context.config, "private-bin-no-local") && context.config.get("private-bin-no-local") === "yes" ? folders.filter((folder) => !folder.startsWith("/usr/local/")) : folders;
}

function addPrograms(draft: Draft, folder: string, pattern: string, rule: Rule, programs: Map<string, Program>): boolean {
  const { folders, launcher } = draft.context;
  const found = isPattern(pattern) ? folders.list(folder).filter(compileSegment(pattern)) : folders.exists(`${folder}/${pattern}`) ? [pattern] : [];
  const names = found.filter((name) => launcher === undefined || !isLinkTo(`${folder}/${name}`, launcher));
  for (const name of names) {
    const path = `${folder}/${name}`;
    const source = findReal(path);
    if (source === undefined || programs.has(name) || !lstatSync(source).isFile()) continue;
    const isOther = source !== path && PROGRAM_FOLDERS.includes(dirname(source)) && basename(source) !== name;
    if (isOther && !programs.has(basename(source))) programs.set(basename(source), { source, rule });
    programs.set(name, isOther ? { source, target: source, rule } : { source, rule });
  }
  return names.length > 0;
}

/** Debian's configuration turns private-lib off, and Firejail then passes it over with a warning. */
function refuseLibraries(draft: Draft): void {
  const rule = findLast(draft.rules, "private-lib");
  if (!rule) return;
  if (isEnabled(draft.context.config, "private-lib"))
    throw refuseRule(rule, "BRIG_CANNOT_PRIVATE_LIB", "brig has no private-lib", "--ignore=private-lib, or set private-lib to no in /etc/firejail/firejail.config as Debian does; brig jail build makes a root with just the libraries that programs need");
  draft.warnings.push(`private-lib is turned off in /etc/firejail/firejail.config (${describeOrigin(rule.origin)})`);
}

/** private-tmp, private-cache: said as the rules that they stand for. */
export function expandShorthands(rules: readonly Rule[], home: string): Rule[] {
  return rules.flatMap((rule) => {
    const say = (name: string, value: string): Rule => ({ name, value, origin: rule.origin });
    if (rule.name === "private-tmp") return [rule, say("whitelist", "/tmp/.X11-unix"), say("read-only", "/tmp/.X11-unix"), say("whitelist", "/tmp/sndio"), say("whitelist", "/tmp/pulse-*")];
    if (rule.name === "private-cache") return [rule, say("tmpfs", `${home}/.cache`)];
    if (rule.name === "nodbus") return [rule, say("dbus-user", "none"), say("dbus-system", "none")];
    return [rule];
  });
}

/** disable-mnt (fs_mnt.c). */
export function hideMedia(draft: Draft): string[] {
  const forced = draft.context.config.get("disable-mnt") === "yes";
  const rule = findLast(draft.rules, "disable-mnt");
  if (!rule && !forced) return [];
  const origin = rule?.origin ?? byFirejail("disable-mnt in firejail.config");
  const paths = ["/mnt", "/media", "/run/mount", "/run/media"];
  for (const path of paths) draft.masked.set(path, origin);
  return paths;
}
