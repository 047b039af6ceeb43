import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readText } from "./read-text.js";

/** An interface of this network namespace. */
export interface HostLink {
  /** "bridge", "veth"; undefined for hardware (ip-link(8), TYPE). */
  kind: string | undefined;
  wireless: boolean;
}

/** The interface of a name, or undefined. Asked of netlink: /sys shows the network namespace that it was mounted in. */
export function findLink(name: string): HostLink | undefined {
  const names = (readText("/proc/net/dev") ?? "").split("\n").map((line) => line.slice(0, line.indexOf(":")).trim());
  if (!names.includes(name)) return undefined;
  return { kind: readKind(name), wireless: existsSync(`/sys/class/net/${name}/phy80211`) || existsSync(`/sys/class/net/${name}/wireless`) };
}

function readKind(name: string): string | undefined {
  const { status, stdout } = spawnSync("ip", ["-details", "-json", "link", "show", "dev", name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  if (status !== 0) return undefined;
  const [link] = JSON.parse(stdout) as { linkinfo?: { info_kind?: string } }[];
  return link?.linkinfo?.info_kind;
}
