import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { findLauncher } from "../../launch/find-launcher.js";
import { renderConnect, renderDisconnect } from "../../plan/compile/named-network.js";
import { readNamespace } from "../../sandbox/process.js";
import type { Sandbox } from "../../sandbox/sandbox.js";
import { networkError } from "./errors.js";
import { findNetworkRun } from "./folders.js";
import { type AskedNetwork, describeMember } from "./join.js";
import { findOwner, listMembers } from "./members.js";
import { lastLine, runScript, sweepNetworks } from "./sweep.js";
import { changeNetworks, dropNetwork, findNetwork } from "./store.js";
import type { NetworkDefinition } from "./definition.js";

/**
 * A running sandbox into one more network; its names, host name and id are those that it was started with.
 * @throws BrigError BRIG_NO_SUCH_NETWORK, BRIG_BAD_VALUE, BRIG_NOT_RUNNING, BRIG_CANNOT_NETWORK
 */
export async function connectSandbox(sandbox: Sandbox, asked: AskedNetwork, hostname?: string): Promise<void> {
  sweepNetworks();
  const definition = findNetwork(asked.name);
  const member = describeMember(definition, asked);
  if (!member) throw networkError("BRIG_BAD_VALUE", `a network of the driver ${definition.driver} has nothing to connect to`);
  const pid = findNetworkedProcess(sandbox);
  const names = [sandbox.name, hostname === "brig" ? undefined : hostname].flatMap((name) => (name === undefined ? [] : [name.toLowerCase()]));
  const run = findNetworkRun(sandbox.runFolder);
  const script = renderConnect({ run, member, names: [...new Set(names)], id: sandbox.id, pid, owner: findOwner(sandbox.id, run) ?? "", launcher: findLauncher() });
  await runUntilReady(script, `sandbox ${sandbox.id} cannot be connected to the network ${definition.name}`);
}

/** @throws BrigError BRIG_NOT_CONNECTED, BRIG_NO_SUCH_NETWORK, BRIG_CANNOT_NETWORK */
export function disconnectSandbox(sandbox: Sandbox, network: string): void {
  sweepNetworks();
  const definition = findNetwork(network);
  const run = findNetworkRun(sandbox.runFolder);
  if (!listMembers(definition, run).some((member) => member.sandbox === sandbox.id))
    throw networkError("BRIG_NOT_CONNECTED", `sandbox ${sandbox.name ?? sandbox.id} is not connected to the network ${definition.name}`, `brig network inspect ${definition.name}`);
  runScript(renderDisconnect({ run, net: definition.id.slice(0, 12), id: sandbox.id, pid: sandbox.first?.pid ?? 0 }), `sandbox ${sandbox.id} cannot be disconnected`);
}

/** @throws BrigError BRIG_NETWORK_IN_USE */
export function removeNetwork(definition: NetworkDefinition): void {
  sweepNetworks();
  changeNetworks(() => {
    const members = listMembers(definition);
    if (members.length > 0)
      throw networkError("BRIG_NETWORK_IN_USE", `network ${definition.name} is in use by ${members.map(({ names, sandbox }) => names[0] ?? sandbox).join(", ")}`, "brig stop them, or brig network disconnect them");
    dropNetwork(definition);
  });
}

/** Its first process, when that has a network of its own. */
function findNetworkedProcess(sandbox: Sandbox): number {
  const { id, first, state } = sandbox;
  if (!first || (state !== "running" && state !== "paused")) throw networkError("BRIG_NOT_RUNNING", `sandbox ${id} is not running`, "brig run --net NAME starts one on a network");
  const own = readNamespace(first.pid, "net");
  if (own !== undefined && own !== readNamespace("self", "net")) return first.pid;
  throw networkError("BRIG_CANNOT_NETWORK", `sandbox ${id} has the host's network`, "only one with a network of its own can be connected");
}

/** The shell may go on as who stands beside the sandbox: it says on descriptor 3 when everything is done. */
async function runUntilReady(script: string, failing: string): Promise<void> {
  const child = spawn("/bin/sh", ["-s"], { stdio: ["pipe", "pipe", "pipe", "pipe"], detached: true });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (said += String(chunk)));
  const ready = child.stdio[3] as Readable;
  const isReady = new Promise<boolean>((done) => {
    ready.once("data", () => done(true));
    child.once("exit", () => done(false));
    child.once("error", () => done(false));
  });
  child.stdin?.on("error", () => undefined).end(script);
  const done = await isReady;
  for (const stream of [ready, child.stdout, child.stderr]) stream?.destroy();
  child.unref();
  if (!done) throw networkError("BRIG_CANNOT_NETWORK", `${failing}: ${lastLine(said) || "the shell ended"}`);
}
