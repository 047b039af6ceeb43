import { existsSync, readdirSync, readFileSync } from "node:fs";
import { isAlive } from "../../sandbox/process.js";
import { formatAddress } from "../rules/address.js";
import type { Membership, NetworkDefinition, OpenPort } from "./definition.js";
import { findNetworkRun } from "./folders.js";

/** Who is in a network now. */
export function listMembers({ name, id }: Pick<NetworkDefinition, "name" | "id">, run = findNetworkRun()): Membership[] {
  const folder = `${run}/nets/${id.slice(0, 12)}/endpoints`;
  return listFolder(folder).flatMap((sandbox) => readMembership(name, sandbox, `${folder}/${sandbox}`) ?? []);
}

/** Undefined while it is being made. */
function readMembership(network: string, sandbox: string, file: string): Membership | undefined {
  const fields = readFields(file);
  const { pid, link = "", interface: inner, address, address6, mac, names = "" } = fields;
  if (pid === undefined || inner === undefined || address === undefined || mac === undefined) return undefined;
  const v6 = address6 ? { address6: shortenAddress(address6) } : {};
  return { network, sandbox, pid: Number(pid), link, interface: inner, address, ...v6, mac, names: names.split(" ").filter(Boolean) };
}

/** "fd00:1:2:3:0000:…/64" as people write it. */
function shortenAddress(text: string): string {
  const [address = "", bits] = text.split("/");
  const value = BigInt(`0x${address.split(":").map((group) => group.padStart(4, "0")).join("")}`);
  return `${address.includes("::") ? address : formatAddress({ family: 6, value })}/${bits}`;
}

/** The ports of the host that lead to a sandbox. */
export function listOpenPorts(sandbox: string, run = findNetworkRun()): OpenPort[] {
  const text = readOr(`${run}/ports/${sandbox}`);
  return text.split("\n").flatMap((line) => {
    const [protocol, place = "", host, guest] = line.split(" ");
    if ((protocol !== "tcp" && protocol !== "udp") || guest === undefined) return [];
    return [{ protocol, address: formatAddress({ family: place.startsWith("4") ? 4 : 6, value: BigInt(`0x${place.slice(2)}`) }), host: Number(host), guest: Number(guest) }];
  });
}

/** Whether somebody who was killed has left something. */
export function hasLeavings(run = findNetworkRun()): boolean {
  return listFolder(`${run}/nets`).some((net) => {
    const folder = `${run}/nets/${net}/endpoints`;
    const members = listFolder(folder);
    return members.length === 0 ? existsSync(`${run}/nets/${net}/device`) : members.some((sandbox) => !hasOwner(`${folder}/${sandbox}`));
  });
}

function hasOwner(file: string): boolean {
  const [pid, start] = (readFields(file)["owner"] ?? "").split(" ");
  return pid !== undefined && start !== undefined && isAlive({ pid: Number(pid), start });
}

/** Who stands beside a sandbox and ends its places in all networks: "PID START"; undefined where there is nobody. */
export function findOwner(sandbox: string, run = findNetworkRun()): string | undefined {
  const files = listFolder(`${run}/nets`).map((net) => `${run}/nets/${net}/endpoints/${sandbox}`).filter((file) => existsSync(file));
  return files.filter(hasOwner).map((file) => readFields(file)["owner"])[0];
}

function readFields(file: string): Record<string, string | undefined> {
  return Object.fromEntries(readOr(file).split("\n").map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]));
}

function readOr(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
