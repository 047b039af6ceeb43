import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { findCacheFolder } from "../launch/cache.js";
import { handOverPlan } from "../launch/hand-over.js";
import { findRunFolder } from "../launch/run-folder.js";
import { compilePlan } from "../plan/compile.js";
import { encodePlan } from "../plan/encode.js";
import { readExtension, writeExtension } from "../spec/extension.js";
import { listSandboxes } from "../sandbox/list.js";
import { isLive } from "../sandbox/sandbox.js";
import { loadRules } from "../tools/firejail/choose.js";
import { readJailContext, findPlaces } from "../tools/firejail/context.js";
import { findShell, type Words } from "../tools/firejail/grammar.js";
import { listCreated } from "../tools/firejail/make.js";
import { makeCreated, prepareFolders, stageFiles } from "../tools/firejail/prepare.js";
import { openProfileFiles } from "../tools/firejail/profile-files.js";
import { findLast, hasRule } from "../tools/firejail/rule.js";
import { buildFirejailSpec, type JailSpec } from "../tools/firejail/spec.js";
import { runFirejailAction } from "./firejail-actions.js";
import { sealPlan, type ToolRun } from "./soft-tool.js";
import { build } from "./version.js";

/** Runs a program as firejail would. */
export async function runFirejail(run: ToolRun, words: Words): Promise<number> {
  const places = findPlaces(run.host);
  const config = readJailContext(run.host, places, "", []).config;
  const [program] = words.command;
  const { rules } = loadRules(words, program, openProfileFiles(places.home), places, config, run.host.euid === 0);
  const joined = findJoined(findLast(rules, "join-or-start")?.value);
  if (joined !== undefined) return await runFirejailAction(run, { ...words, action: { name: "join", sandbox: joined } });
  const created = listCreated(rules, places);
  run.recording.aside(() => makeCreated(created));
  const folders = listOwnFolders(run.host.euid);
  const runFolder = findRunFolder(run.host.euid);
  run.recording.aside(() => prepareFolders(folders.stage, runFolder));
  // where one of them is gone, it has to be made again
  for (const path of [...created.folders, ...created.files, ...folders.own]) existsSync(path);
  statSync(folders.stage);
  const context = readJailContext(run.host, places, folders.stage, folders.own);
  const command = words.command.length > 0 ? words.command : [findShell()];
  const jail = buildFirejailSpec(rules, command, context);
  const quiet = words.quiet || hasRule(rules, "quiet") || config.get("quiet-by-default") === "yes";
  const spec = quiet ? jail.spec : writeExtension(jail.spec, { ...readExtension(jail.spec), says: jail.warnings.map((warning) => `Warning: ${warning}`) });
  run.recording.aside(() => stageFiles(jail.staged));
  for (const { path } of jail.staged) statSync(path);
  return await launch(run, { ...jail, spec }, runFolder);
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

/** Where a bus is filtered, Node stays beside the sandbox with the proxy; otherwise nothing of it does. */
async function launch(run: ToolRun, { spec, proxies }: JailSpec, runFolder: string): Promise<number> {
  const plan = compilePlan(spec, run.host, { runFolder, words: [run.tool, ...run.words], cwd: process.cwd(), build });
  // a name that a killed sandbox left is freed by whoever compiles
  const isKept = proxies.length === 0 && readExtension(spec).name === undefined;
  const bytes = isKept ? sealPlan(run, plan) : encodePlan(plan);
  if (proxies.length === 0) return await handOverPlan(bytes);
  run.recording.stop();
  const { startProxies } = await import("../tools/firejail/bus-proxy.js");
  const { runPlan } = await import("../launch/run-plan.js");
  const running = await startProxies(proxies);
  try {
    return await runPlan(bytes);
  } finally {
    running.stop();
  }
}
