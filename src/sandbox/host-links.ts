import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { readExtension } from "../spec/extension.js";
import type { Sandbox } from "./sandbox.js";

/**
 * Removes what a companion that was killed has left of a machine's links: its rules for ports, and zones' bridges
 * without a link. The links themselves went with the machine's network.
 */
export function releaseHostLinks({ record, first }: Pick<Sandbox, "record" | "first">): void {
  const network = record && readExtension(record.spec).network;
  if (network?.mode !== "links") return;
  if (network.ports?.length && first) run("nft", ["delete", "table", "ip", `brig_ports_${first.pid}`]);
  for (const link of network.links ?? []) if (link.kind === "veth" && link.zone && link.bridge !== undefined) releaseZone(link.bridge);
}

function releaseZone(bridge: string): void {
  const members = `/sys/class/net/${bridge}/brif`;
  if (existsSync(members) && readdirSync(members).length === 0) run("ip", ["link", "delete", bridge]);
}

/** What is gone already needs no removing. */
function run(program: string, words: string[]): void {
  spawnSync(program, words, { stdio: "ignore", timeout: 10_000 });
}
