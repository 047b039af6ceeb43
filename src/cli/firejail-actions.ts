import { constants } from "node:os";
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { BrigError } from "../error/brig-error.js";
import { findLauncher } from "../launch/find-launcher.js";
import { handOverPlan } from "../launch/hand-over.js";
import { encodePlan } from "../plan/encode.js";
import { readSyscalls } from "../plan/seccomp/tables.js";
import { CAPABILITY_NAMES } from "../host/capabilities.js";
import { planCommand } from "../sandbox/exec.js";
import { findSandbox } from "../sandbox/find.js";
import { listSandboxes } from "../sandbox/list.js";
import { listMembers } from "../sandbox/members.js";
import type { ProcessStat } from "../sandbox/process.js";
import { isLive, type Sandbox } from "../sandbox/sandbox.js";
import { stopSandbox } from "../sandbox/stop.js";
import { readText } from "../host/read-text.js";
import { findShell, type Action, type Words } from "../tools/firejail/grammar.js";
import { firejailHelp } from "../tools/firejail/help.js";
import { joinOne, printNetwork, shapeTraffic } from "./firejail-inside.js";
import { dropLinks, makeLinks } from "./firejail-links.js";
import { drawNetwork, drawTop, PRINTERS, showAgain } from "./firejail-show.js";
import { print } from "./output/print.js";
import type { ToolRun } from "./soft-tool.js";
import { version } from "./version.js";

type Handler = (run: ToolRun, words: Words, action: Action) => number | Promise<number>;

const show = (text: string): number => (text === "" || print(text), 0);

const HANDLERS: Record<Action["name"], Handler> = {
  help: () => show(firejailHelp),
  version: () => show(`firejail of brig ${version}, with the options and profiles of firejail version 0.9.72`),
  list: (run) => show(listLive().map((sandbox) => describe(run, sandbox)).join("\n")),
  tree: (run) => show(listLive().map((sandbox) => drawTree(run, sandbox)).join("\n")),
  shutdown: async (_run, _words, { sandbox }) => (await stopSandbox(findTarget(sandbox), 3000), 0),
  join: (run, words, { sandbox }) => execute(run, findTarget(sandbox), words.command.length > 0 ? words.command : [findShell()]),
  ls: (run, words, { sandbox }) => execute(run, findTarget(sandbox), ["ls", "-la", "--", ...needOperands(words, 1, "--ls=NAME PATH")]),
  cat: (run, words, { sandbox }) => execute(run, findTarget(sandbox), ["cat", "--", ...needOperands(words, 1, "--cat=NAME FILE")]),
  get: (run, words, { sandbox }) => getFile(run, findTarget(sandbox), needOperands(words, 1, "--get=NAME FILE")[0]!),
  put: (run, words, { sandbox }) => putFile(run, findTarget(sandbox), needOperands(words, 2, "--put=NAME SOURCE DESTINATION")),
  "join-network": (run, words, { sandbox }) => joinOne(run, findTarget(sandbox), "network", words.command.length > 0 ? words.command : [findShell()]),
  "join-filesystem": (run, words, { sandbox }) => joinOne(run, findTarget(sandbox), "mount", words.command.length > 0 ? words.command : [findShell()]),
  bandwidth: (run, words, { sandbox }) => show(shapeTraffic(run, findTarget(sandbox), words.command)),
  top: (run) => showAgain((before) => drawTop(listLive(), before, nameUser(run), nameCommand), listLive),
  netstats: (run) => showAgain((before) => drawNetwork(listLive(), before, nameUser(run), nameCommand), listLive),
  symlinks: (run) => show(makeLinks(run).join("\n")),
  "symlinks-clean": (run) => show(dropLinks(run).join("\n")),
  print: (run, _words, { sandbox, what = "" }) => printOne(run, findTarget(sandbox), what),
  "debug-caps": () => show(CAPABILITY_NAMES.map((name, number) => `${number}\t- ${name.slice(4).toLowerCase()}`).join("\n")),
  "debug-syscalls": () => show([...readSyscalls(process.arch === "arm64" ? "arm64" : "x64")].map(([name, number]) => `${number}\t- ${name}`).join("\n")),
  "debug-protocols": () => show("unix, inet, inet6, netlink, packet, bluetooth,"),
  "debug-errnos": () => show(Object.entries(constants.errno).map(([name, number]) => `${number}\t- ${name}`).join("\n")),
};

/** What firejail does without starting a sandbox. */
export async function runFirejailAction(run: ToolRun, words: Words): Promise<number> {
  const action = words.action!;
  return await HANDLERS[action.name](run, words, action);
}

function listLive(): Sandbox[] {
  return listSandboxes().filter(isLive);
}

/** "PID:USER:NAME:COMMAND". */
function describe({ host }: Pick<ToolRun, "host">, sandbox: Sandbox): string {
  return [sandbox.supervisor?.pid ?? "", nameUser({ host }), sandbox.name ?? "", showWords(sandbox.record?.spec.process?.args ?? [])].join(":");
}

// eslint-disable-next-line no-control-regex
const showWords = (words: readonly string[]): string => words.join(" ").replace(/[\u0000-\u001f\u007f]/g, "?");

function nameUser({ host }: Pick<ToolRun, "host">): string {
  return host.userName ?? String(host.euid);
}

function nameCommand({ record }: Sandbox): string {
  return showWords(record?.spec.process?.args ?? []);
}

function printOne(run: ToolRun, sandbox: Sandbox, what: string): number | Promise<number> {
  if (what === "dns.print") return execute(run, sandbox, ["cat", "/etc/resolv.conf"]);
  if (what === "net.print") return show(printNetwork(run, sandbox, ["ip", "address", "show"]));
  if (what.startsWith("netfilter")) return show(printNetwork(run, sandbox, ["nft", "list", "ruleset"]));
  return show(PRINTERS[what]!(sandbox));
}

function drawTree(run: ToolRun, sandbox: Sandbox): string {
  const members = listMembers(sandbox);
  const draw = (process_: ProcessStat, depth: number): string[] => {
    const words = (readText(`/proc/${process_.pid}/cmdline`) ?? "").split("\0").slice(0, -1);
    const line = `${"  ".repeat(depth)}${process_.pid}:${run.host.userName ?? run.host.euid}::${showWords(words)}`;
    return [line, ...members.filter(({ parent }) => parent === process_.pid).flatMap((child) => draw(child, depth + 1))];
  };
  const pids = new Set(members.map(({ pid }) => pid));
  return [describe(run, sandbox), ...members.filter(({ parent }) => !pids.has(parent)).flatMap((member) => draw(member, 1))].join("\n");
}

/** A name, an id, or the pid that --list shows or of the first process. */
function findTarget(reference: string): Sandbox {
  const live = listLive();
  const byPid = /^\d+$/.test(reference) ? live.find(({ supervisor, first }) => [supervisor?.pid, first?.pid].includes(Number(reference))) : undefined;
  if (byPid) return byPid;
  try {
    return findSandbox(reference, live);
  } catch (error) {
    throw new BrigError(`cannot find sandbox ${reference}`, { code: "BRIG_NO_SUCH_SANDBOX", exitCode: 1, hint: "brig firejail --list", cause: error });
  }
}

function execute(run: ToolRun, sandbox: Sandbox, command: string[]): Promise<number> {
  return handOverPlan(encodePlan(planCommand(sandbox, { command }, run.host)));
}

function needOperands({ command }: Words, count: number, usage: string): string[] {
  if (command.length === count) return command;
  throw new BrigError(`invalid use of ${usage.slice(0, usage.indexOf("="))}`, { code: "BRIG_BAD_USAGE", exitCode: 1, hint: usage });
}

/** Read by a process of the sandbox's, so that no link in it leads to a file of the host. */
async function getFile(run: ToolRun, sandbox: Sandbox, path: string): Promise<number> {
  const { status, output } = await capture(run, sandbox, ["cat", "--", path], undefined);
  if (status === 0) writeFileSync(basename(path), output, { flag: "wx" });
  return status === 0 ? 0 : 1;
}

async function putFile(run: ToolRun, sandbox: Sandbox, [source = "", destination = ""]: string[]): Promise<number> {
  const content = readFileSync(source);
  const { status } = await capture(run, sandbox, ["sh", "-c", 'cat > "$1"', "sh", destination], content);
  return status === 0 ? 0 : 1;
}

/** A command in the sandbox whose input and output are this process's to give and take. */
async function capture(run: ToolRun, sandbox: Sandbox, command: string[], input: Buffer | undefined): Promise<{ status: number; output: Buffer }> {
  const { spawnSync } = await import("node:child_process");
  const plan = encodePlan(planCommand(sandbox, { command, terminal: "never" }, run.host));
  const { makeTemporaryFile } = await import("./temporary-file.js");
  return makeTemporaryFile(plan, (descriptor) => {
    const { status, stdout } = spawnSync(findLauncher(), ["--plan-fd", "3"], { stdio: ["pipe", "pipe", "inherit", descriptor], ...(input ? { input } : {}), maxBuffer: 1 << 30 });
    return { status: status ?? 1, output: stdout };
  });
}
