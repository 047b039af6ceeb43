import { existsSync, readFileSync } from "node:fs";
import { parseMountinfo } from "../host/mountinfo.js";
import { describeErrno } from "../error/errno.js";
import { runPlan } from "../launch/run-plan.js";
import type { Spec } from "../spec/oci.js";
import { readToolContext } from "../tools/grammar/context.js";
import type { NetnsRequest } from "../tools/netns/grammar.js";
import { netnsHelp } from "../tools/netns/help.js";
import { isConnected } from "../tools/netns/link-name.js";
import { identify, listNames, listPids } from "../tools/netns/look.js";
import { ETC_FOLDER, EXIT_FAILURE, EXIT_REFUSED, netnsError, netnsPath, RUN_FOLDER } from "../tools/netns/names.js";
import { createNameFile, isMountPoint, isSharedMount, makeRunFolder, removeNameFile } from "../tools/netns/run-folder.js";
import { buildAddSpec, buildAttachSpec, buildExecSpec, buildRunFolderSpec, buildUnmountSpec, listEtcFiles, type ExecFacts } from "../tools/netns/spec.js";
import type { NamedId } from "../tools/netns/nsid.js";
import { print, printError, printJson } from "./output/print.js";
import { compileSpec, launchSpec, type ToolRun } from "./soft-tool.js";

/** Does what `brig netns …` was asked for and returns the exit status. */
export async function runNetns(run: ToolRun, asked: NetnsRequest): Promise<number> {
  switch (asked.kind) {
    case "help": return print(netnsHelp), 0;
    case "list": case "list-id": case "set": return await runWithIds(asked);
    case "identify": return printLines(identify(asked.pid));
    case "pids": return printLines(listPids(asked.name));
    case "monitor": return await monitor();
    case "add": return await keepNamespace(run, asked.name, buildAddSpec(asked.name));
    case "attach": return await keepNamespace(run, asked.name, buildAttachSpec(asked.name, asked.pid));
    case "delete": return await deleteName(run, asked.name);
    case "delete-all": return await deleteAll(run);
    case "exec": return await launchSpec(run, await prepareExec(run, asked.name, asked.command));
    case "exec-all": return await execAll(run, asked.command);
    case "connect": case "disconnect": return await runLink(asked);
  }
}

/** A name for a namespace: whole or not there. */
async function keepNamespace(run: ToolRun, name: string, spec: Spec): Promise<number> {
  makeRunFolder();
  if (!isSharedMount(RUN_FOLDER) && (await perform(run, buildRunFolderSpec())) !== 0) return EXIT_FAILURE;
  createNameFile(name);
  if ((await perform(run, spec)) === 0) return 0;
  removeNameFile(name);
  return EXIT_FAILURE;
}

async function deleteName(run: ToolRun, name: string): Promise<number> {
  if (isConnected(name)) (await import("../tools/netns/connect.js")).disconnect(name);
  if (isMountPoint(netnsPath(name)) && (await perform(run, buildUnmountSpec(name))) !== 0) return EXIT_FAILURE;
  removeNameFile(name);
  return 0;
}

async function deleteAll(run: ToolRun): Promise<number> {
  let status = 0;
  for (const name of listNames()) status = (await deleteName(run, name)) || status;
  return status;
}

async function prepareExec(run: ToolRun, name: string, command: string[]): Promise<Spec> {
  const context = readToolContext(run.host);
  const error = context.probe(netnsPath(name));
  if (error) throw netnsError(`Cannot open network namespace "${name}": ${describeErrno(error)}`, EXIT_REFUSED, `brig netns add ${name}`);
  return buildExecSpec(name, command, context, readExecFacts(name));
}

function readExecFacts(name: string): ExecFacts {
  const sys = parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8")).findLast(({ point }) => point === "/sys");
  const etcFiles = listEtcFiles(name).filter((file) => {
    const known = existsSync(`/etc/${file}`);
    if (!known) printError(`Bind ${ETC_FOLDER}/${name}/${file} -> /etc/${file} failed: No such file or directory`);
    return known;
  });
  return sys ? { sys: { readonly: sys.options.includes("ro") }, etcFiles } : { etcFiles };
}

/** One after the other; as with ip, one that fails does not keep the others from running. */
async function execAll(run: ToolRun, command: string[]): Promise<number> {
  for (const name of listNames()) {
    print(`\nnetns: ${name}`);
    await perform(run, await prepareExec(run, name, command));
  }
  return 0;
}

async function runWithIds(asked: Extract<NetnsRequest, { kind: "list" | "list-id" | "set" }>): Promise<number> {
  const { listWithIds, listIds, setId } = await import("../tools/netns/nsid.js");
  if (asked.kind === "set") return setId(asked.name, asked.nsid), 0;
  if (asked.kind === "list-id") {
    const ids = listIds(asked);
    if (asked.json) return printJson(ids), 0;
    return printLines(ids.map(describeId));
  }
  const names = listWithIds(listNames());
  if (asked.json) return printJson(names), 0;
  return printLines(names.map(({ name, id }) => (id === undefined ? name : `${name} (id: ${id})`)));
}

function describeId({ nsid, name, "current-nsid": current }: NamedId): string {
  const here = current === undefined ? "" : ` current-nsid ${current}`;
  return `nsid ${nsid}${here}${name === undefined ? "" : ` (iproute2 netns name: ${name})`}`;
}

async function monitor(): Promise<number> {
  const { watchNames } = await import("../tools/netns/monitor.js");
  await watchNames((event, name) => print(`${event} ${name}`));
  return 0;
}

async function runLink(asked: Extract<NetnsRequest, { kind: "connect" | "disconnect" }>): Promise<number> {
  const { connect, disconnect } = await import("../tools/netns/connect.js");
  if (asked.kind === "connect") {
    const { hostInterface, innerInterface, subnet, uplink } = connect(asked);
    print(`${asked.name}: ${innerInterface} to ${hostInterface}, ${subnet}${uplink === undefined ? "" : `, NAT to ${uplink}`}`);
  } else if (!disconnect(asked.name)) throw netnsError(`network namespace "${asked.name}" is not connected`);
  return 0;
}

async function perform(run: ToolRun, spec: Spec): Promise<number> {
  return await runPlan(compileSpec(run, spec));
}

function printLines(lines: readonly string[]): number {
  if (lines.length > 0) print(lines.join("\n"));
  return 0;
}
