import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { BrigError } from "../error/brig-error.js";
import { findCacheFolder } from "../launch/cache.js";
import { handOverPlan } from "../launch/hand-over.js";
import { findRunFolder } from "../launch/run-folder.js";
import { compilePlan } from "../plan/compile.js";
import { encodePlan } from "../plan/encode.js";
import { readExtension, writeExtension } from "../spec/extension.js";
import { listSandboxes } from "../sandbox/list.js";
import { isLive } from "../sandbox/sandbox.js";
import type { Spec } from "../spec/oci.js";
import { REPORT_FD } from "../launch/run-watched.js";
import type { LauncherStreams } from "../launch/run-plan.js";
import { loadRules } from "../tools/firejail/choose.js";
import type { FirejailConfig } from "../tools/firejail/config.js";
import { readJailContext, findPlaces } from "../tools/firejail/context.js";
import { findShell, type Words } from "../tools/firejail/grammar.js";
import type { Places } from "../tools/firejail/macros.js";
import { listCreated } from "../tools/firejail/make.js";
import { makeCreated, prepareFolders, stageFiles } from "../tools/firejail/prepare.js";
import { openProfileFiles } from "../tools/firejail/profile-files.js";
import { findLast, hasRule, listValues, type Rule } from "../tools/firejail/rule.js";
import { buildFirejailSpec, type JailSpec } from "../tools/firejail/spec.js";
import type { Watching } from "./firejail-watch.js";
import type { UnpackedImage } from "./firejail-appimage.js";
import { PROFILE, PROTOCOL, showFiles } from "./firejail-show.js";
import { sealPlan, type ToolRun } from "./soft-tool.js";
import { build } from "./version.js";

/** A sandbox that is about to start, and what is done beside it. */
interface Jail extends JailSpec {
  words: Words;
  runFolder: string;
  /** Makes what has to be on the host when it starts. */
  prepare(): void;
  watching: Watching | undefined;
  image: UnpackedImage | undefined;
}

/** Runs a program as firejail would. */
export async function runFirejail(run: ToolRun, words: Words): Promise<number> {
  const places = findPlaces(run.host);
  const config = readJailContext(run.host, places, "", []).config;
  const [program] = words.command;
  // a profile is written from what a program does without one
  const asked = words.watch?.what === "build" ? { ...words, noprofile: true } : words;
  const { rules, chosen } = loadRules(asked, program, openProfileFiles(places.home), places, config, run.host.euid === 0);
  const joined = findJoined(findLast(rules, "join-or-start")?.value);
  if (joined !== undefined) return await (await import("./firejail-actions.js")).runFirejailAction(run, { ...words, action: { name: "join", sandbox: joined } });
  const start: Start = { words, places, config, rules, chosen };
  if (!words.appimage) return await startJail(run, start);
  run.recording.stop();
  const image = await (await import("./firejail-appimage.js")).unpackImage(run, program ?? "");
  try {
    return await startJail(run, start, image);
  } finally {
    image.remove();
  }
}

interface Start {
  words: Words;
  places: Places;
  config: FirejailConfig;
  rules: readonly Rule[];
  chosen: string | undefined;
}

async function startJail(run: ToolRun, { words, places, config, rules, chosen }: Start, image?: UnpackedImage): Promise<number> {
  const created = listCreated(rules, places);
  run.recording.aside(() => makeCreated(created));
  const folders = listOwnFolders(run.host.euid);
  const runFolder = findRunFolder(run.host.euid);
  const context = { ...readJailContext(run.host, places, folders.stage, folders.own), image };
  const jail = buildFirejailSpec(rules, findCommand(words, image), context);
  const prepare = (): void => {
    run.recording.aside(() => {
      prepareFolders(folders.stage, runFolder);
      stageFiles(jail.staged);
    });
    // where one of them is gone, it has to be made again
    for (const path of [...created.folders, ...created.files, ...folders.own]) existsSync(path);
    for (const path of [folders.stage, ...jail.staged.map((file) => file.path)]) statSync(path);
  };
  const says = listSayings(jail, words, rules, config);
  const spec = noteRules(writeExtension(jail.spec, { ...readExtension(jail.spec), ...(says.length > 0 ? { says } : {}) }), rules, chosen);
  return await launch(run, { ...jail, spec, words, runFolder, prepare, watching: findWatching(words, rules, config, places.home), image });
}

function findCommand({ command }: Words, image: UnpackedImage | undefined): string[] {
  if (image) return [join(image.folder, "AppRun"), ...command.slice(1)];
  return command.length > 0 ? command : [findShell()];
}

/** Warnings, unless it shall be quiet; and with --debug what is mounted and hidden, and why. */
function listSayings({ warnings, spec }: JailSpec, words: Words, rules: readonly Rule[], config: FirejailConfig): string[] {
  const quiet = words.quiet || hasRule(rules, "quiet") || config.get("quiet-by-default") === "yes";
  return [...(quiet ? [] : warnings.map((warning) => `Warning: ${warning}`)), ...(words.debug ? showFiles(spec).split("\n") : [])];
}

/** For --profile.print and --protocol.print. */
function noteRules(spec: Spec, rules: readonly Rule[], chosen: string | undefined): Spec {
  const protocols = [...new Set(listValues(rules, "protocol").map(({ value }) => value))].join(",");
  return { ...spec, annotations: { ...spec.annotations, ...(chosen === undefined ? {} : { [PROFILE]: chosen }), ...(protocols === "" ? {} : { [PROTOCOL]: protocols }) } };
}

function findJoined(name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  return listSandboxes().find((sandbox) => sandbox.name === name && isLive(sandbox))?.id;
}

/** No payload may see sockets, plans and staged files: whoever writes a plan decides what is run next. */
function listOwnFolders(euid: number): { stage: string; own: string[] } {
  const run = findRunFolder(euid);
  const cache = findCacheFolder();
  const home = cache === undefined ? join(run, "cache") : dirname(cache);
  return { stage: join(home, "firejail"), own: [...new Set([run, "/run/brig", `/tmp/brig-${euid}`, home])] };
}

/**
 * Where a bus is filtered, calls are watched or output is logged, Node stays beside the sandbox; otherwise nothing of it
 * does.
 */
async function launch(run: ToolRun, jail: Jail): Promise<number> {
  const { words, proxies, watching } = jail;
  const spec = watching ? addWatch(jail.spec, watching) : jail.spec;
  const plan = compilePlan(spec, run.host, { runFolder: jail.runFolder, words: [run.tool, ...run.words], cwd: process.cwd(), build });
  const stays = proxies.length > 0 || watching !== undefined || words.output !== undefined || jail.image !== undefined;
  if (stays) refuseDescriptors(spec);
  jail.prepare();
  if (!stays) return await handOverPlan(isKept(spec) ? sealPlan(run, plan) : encodePlan(plan));
  run.recording.stop();
  return await withProxies(proxies, () => withOutput(words, async (streams) => {
    if (watching) return (await import("./firejail-watch.js")).runWatchedJail(encodePlan(plan), spec, run.host, watching, streams);
    return (await import("../launch/run-plan.js")).runPlan(encodePlan(plan), streams);
  }));
}

/** The launcher that Node starts has descriptors of its own there. */
function refuseDescriptors(spec: Spec): void {
  const { keepFds, descriptors } = readExtension(spec);
  if (!keepFds?.length && !descriptors?.passAllBut) return;
  throw new BrigError("descriptors cannot be kept where a bus is filtered, calls are watched, output is logged or an AppImage is unpacked", { code: "BRIG_CANNOT_KEEP_FD", exitCode: 1, hint: "leave one of the two out: --ignore=keep-fd, --ignore=dbus-user" });
}

/** A name that a killed sandbox left is freed by whoever compiles; and which interfaces there are, no file tells. */
function isKept(spec: Spec): boolean {
  const { name, network } = readExtension(spec);
  return name === undefined && network?.mode !== "interfaces";
}

function addWatch(spec: Spec, { what }: Watching): Spec {
  return writeExtension(spec, { ...readExtension(spec), watch: { fd: REPORT_FD, mode: what === "build" ? "open" : "walls" } });
}

/** tracelog of a profile counts where the administrator turned it on, which Debian did not. */
function findWatching({ watch }: Words, rules: readonly Rule[], config: FirejailConfig, home: string): Watching | undefined {
  if (watch) return { ...watch, home };
  const rule = rules.find(({ name, origin }) => name === "tracelog" && (origin.kind === "flag" || config.get("tracelog") === "yes"));
  return rule ? { what: "tracelog", file: "", home } : undefined;
}

async function withOutput({ output }: Words, use: (streams: LauncherStreams) => Promise<number>): Promise<number> {
  return output ? (await import("./firejail-output.js")).runLogged(output, use) : await use([0, 1, 2]);
}

async function withProxies(proxies: JailSpec["proxies"], use: () => Promise<number>): Promise<number> {
  if (proxies.length === 0) return await use();
  const running = await (await import("../tools/firejail/bus-proxy.js")).startProxies(proxies);
  try {
    return await use();
  } finally {
    running.stop();
  }
}
