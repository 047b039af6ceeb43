import { existsSync } from "node:fs";
import { parseRlimit } from "../../policy/parse/rlimit.js";
import { readText } from "../../host/read-text.js";
import { leadsToFolder } from "./base.js";
import { type Draft, isRoot } from "./draft.js";
import { dropVariable, inheritEnvironment, readVariable, setVariable } from "./environment.js";
import { expandWords, findReal, refusePath, refuseRule } from "./paths.js";
import { findLast, hasRule, listValues, type Rule } from "./rule.js";
import { stageFile } from "./stage.js";

/** Environment, limits, name, clock: what is no wall. */
export function applyLife(draft: Draft): void {
  applyEnvironment(draft);
  applyLimits(draft);
  applyName(draft);
  applyHostNames(draft);
  applyWorkingFolder(draft);
  applyTimeout(draft);
  applyDescriptors(draft);
}

/** What Firejail tells every program, so that toolkits stay away from what does not work in a sandbox. */
const TOLD = { container: "firejail", QT_X11_NO_MITSHM: "1", QML_DISABLE_DISK_CACHE: "1", KDE_FORK_SLAVES: "1" };

function applyEnvironment(draft: Draft): void {
  inheritEnvironment(draft);
  for (const [name, value] of Object.entries(TOLD)) setVariable(draft, name, value);
  // a login shell that is brig itself would begin anew inside
  if (/\/(firejail|brig)$/.test(readVariable(draft, "SHELL") ?? "")) setVariable(draft, "SHELL", "/bin/bash");
  const { image, cwd } = draft.context;
  if (image) for (const [name, value] of Object.entries({ APPIMAGE: image.image, APPDIR: image.folder, ARGV0: image.image, OWD: cwd })) setVariable(draft, name, value);
  for (const rule of draft.rules) {
    if (rule.name === "rmenv") dropVariable(draft, rule.value);
    if (rule.name !== "env") continue;
    const cut = rule.value.indexOf("=");
    if (cut <= 0) throw refuseRule(rule, "BRIG_BAD_VALUE", `${rule.value} is no NAME=value`, "env LANG=C");
    setVariable(draft, rule.value.slice(0, cut), rule.value.slice(cut + 1).replace(/^"(.*)"$/, "$1"));
  }
}

function applyLimits(draft: Draft): void {
  const { process } = draft;
  const rlimits = draft.rules
    .filter(({ name }) => name.startsWith("rlimit-"))
    .map((rule) => ({ rule, limit: parseRlimit(`${rule.name.slice("rlimit-".length)}=${rule.value}`, rule.name) }));
  process.rlimits = [...new Map(rlimits.map(({ limit }) => [limit.type, limit])).values()];
  const nice = findLast(draft.rules, "nice");
  if (nice) process.scheduler = { policy: "SCHED_OTHER", nice: readNice(draft, nice) };
  const oom = findLast(draft.rules, "oom");
  if (oom) process.oomScoreAdj = readNumber(oom, 0, 1000);
  const cpu = findLast(draft.rules, "cpu");
  if (!cpu) return;
  if (!/^\d+(,\d+)*$/.test(cpu.value)) throw refuseRule(cpu, "BRIG_BAD_VALUE", `${cpu.value} is no list of processors`, "cpu 0,1,2");
  process.execCPUAffinity = { initial: cpu.value, final: cpu.value };
  draft.origins["/process/execCPUAffinity"] = cpu.origin;
}

/** firejail(1): only root can raise a priority; for others a negative value is 0. */
function readNice(draft: Draft, rule: Rule): number {
  const value = readNumber(rule, -20, 19);
  draft.origins["/process/scheduler"] = rule.origin;
  return isRoot(draft) ? value : Math.max(0, value);
}

function readNumber(rule: Rule, least: number, most: number): number {
  const value = /^-?\d+$/.test(rule.value) ? Number(rule.value) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw refuseRule(rule, "BRIG_BAD_VALUE", `${rule.name} is a whole number from ${least} to ${most}, and ${rule.value} is not`, `${rule.name} ${least}`);
}

function applyName(draft: Draft): void {
  const rule = findLast(draft.rules, "name") ?? findLast(draft.rules, "join-or-start");
  if (!rule) return;
  draft.extension.name = rule.value;
  draft.origins["/annotations/dev.brig.name"] = rule.origin;
}

/** hostname, hosts-file and machine-id, with the files that tell the same. */
function applyHostNames(draft: Draft): void {
  const hostname = findLast(draft.rules, "hostname");
  const hosts = findLast(draft.rules, "hosts-file");
  if (hostname) {
    draft.hostname = hostname.value;
    draft.origins["/hostname"] = hostname.origin;
    stageFile(draft, "/etc/hostname", `${hostname.value}\n`, hostname.origin);
  }
  if (hosts) stageHosts(draft, hosts);
  const machine = findLast(draft.rules, "machine-id");
  // with private-etc the sandbox has the file only when that names it
  if (!machine || (hasRule(draft.rules, "private-etc") && !listValues(draft.rules, "private-etc").some(({ value }) => value === "machine-id"))) return;
  if (!existsSync("/etc/machine-id")) return;
  draft.origins[`/annotations/dev.brig.files/${draft.extension.files.length}`] = machine.origin;
  draft.extension.files.push({ type: "machineId", path: findReal("/etc/machine-id") ?? "/etc/machine-id" });
}

function stageHosts(draft: Draft, rule: Rule): void {
  const [path = rule.value] = expandWords(draft, rule);
  const content = readText(path);
  if (content === undefined) throw refusePath(rule, `cannot read the hosts file ${path}`);
  stageFile(draft, "/etc/hosts", content, rule.origin);
}

/** The caller's folder when it is visible inside, else the home, else the root. */
function applyWorkingFolder(draft: Draft): void {
  const { cwd, places } = draft.context;
  const rule = findLast(draft.rules, "private-cwd");
  if (rule?.value) {
    const [path = rule.value] = expandWords(draft, rule);
    if (!leadsToFolder(path) || findReal(path) !== path) throw refusePath(rule, `the working folder ${path} is no folder, or leads through a link`);
    draft.process.cwd = path;
    return;
  }
  const candidates = rule ? [places.home, "/"] : [cwd, places.home, "/"];
  draft.process.cwd = candidates.find((path) => isVisible(draft, path)) ?? "/";
}

/** Whether a folder is there in the sandbox: the host's shows through, or a new one is mounted at it. */
export function isVisible(draft: Draft, path: string): boolean {
  const { source, layer } = draft.view.find(path);
  if ([...draft.masked.keys()].some((masked) => path === masked || path.startsWith(`${masked}/`))) return false;
  if (source !== undefined) return leadsToFolder(source);
  return layer.destination === path || draft.extension.files.some((entry) => entry.type === "dir" && entry.path === path);
}

/** "hh:mm:ss". */
function applyTimeout(draft: Draft): void {
  const rule = findLast(draft.rules, "timeout");
  if (!rule) return;
  const match = /^(\d+):(\d{1,2}):(\d{1,2})$/.exec(rule.value);
  const [hours, minutes, seconds] = (match ?? []).slice(1).map(Number);
  const ms = match ? ((hours! * 60 + minutes!) * 60 + seconds!) * 1000 : 0;
  if (ms <= 0 || minutes! > 59 || seconds! > 59) throw refuseRule(rule, "BRIG_BAD_VALUE", `invalid timeout ${rule.value}`, "hh:mm:ss, as in 01:30:00");
  draft.extension.timeout = { ms };
  draft.origins["/annotations/dev.brig.timeout"] = rule.origin;
}

function applyDescriptors(draft: Draft): void {
  for (const { value, rule } of listValues(draft.rules, "keep-fd")) {
    if (value === "all") {
      draft.extension.descriptors = { passAllBut: [] };
      continue;
    }
    if (!/^\d+$/.test(value)) throw refuseRule(rule, "BRIG_CANNOT_KEEP_FD", `brig keeps descriptors that are named by number, and ${value} is none`, "--keep-fd=3,4");
    if (Number(value) > 2) (draft.extension.keepFds ??= []).push(Number(value));
  }
}
