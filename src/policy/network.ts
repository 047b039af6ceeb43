import { existsSync, realpathSync } from "node:fs";
import { BrigError } from "../error/brig-error.js";
import { describeOrigin } from "../spec/origin.js";
import { addMount, byDefault, consultFile, type Draft, originOfOption, originOrDefault } from "./draft.js";
import { parsePublish } from "./parse/publish.js";

/** Network namespace, loopback, a user-space way out, and where names are asked. */
export function setNetwork(draft: Draft): void {
  const { net = "none", publish = [] } = draft.options;
  const origin = originOrDefault(draft, "net", "no network but loopback");
  if (publish.length > 0 && net !== "user") throw refuse(draft, "/publish", "ports are published only with --net user", "add --net user");
  draft.origins["/annotations/dev.brig.network"] = origin;
  if (net === "host") return shareHost(draft);
  if (net.startsWith("netns=")) return joinNamespace(draft, net.slice("netns=".length));
  if (net !== "none" && net !== "user") throw refuse(draft, "/net", `there is no network called ${JSON.stringify(net)}`, "none, host, user or netns=NAME");
  draft.linux.namespaces?.push({ type: "network" });
  draft.extension.loopback = true;
  if (net === "none") return;
  draft.extension.network = { mode: "user", ports: publish.flatMap((words) => parsePublish(words, "publish")) };
  showResolver(draft);
}

function shareHost(draft: Draft): void {
  draft.extension.network = { mode: "host" };
  draft.notes.push("the payload has the host's network: it reaches what listens on 127.0.0.1 and everything that the host reaches");
  showResolver(draft);
}

function joinNamespace(draft: Draft, name: string): void {
  const path = `/run/netns/${name}`;
  if (name === "" || name.includes("/") || name === "." || name === "..") throw refuse(draft, "/net", `${JSON.stringify(name)} is no name of a network namespace`, "brig netns list");
  if (!existsSync(path)) throw refuse(draft, "/net", `there is no network namespace ${JSON.stringify(name)}`, `make it with brig netns add ${name}`);
  draft.linux.namespaces?.push({ type: "network", path });
  showResolver(draft);
}

/** /etc/resolv.conf is often a link into /run, which is private. */
function showResolver(draft: Draft): void {
  const path = "/etc/resolv.conf";
  if (!existsSync(consultFile(draft, path))) return;
  const real = realpathSync.native(path);
  if (draft.options.root === undefined && real.startsWith("/etc/")) return;
  const destination = draft.options.root === undefined ? real : path;
  addMount(draft, { destination, type: "bind", source: real, options: ["bind", "ro", "nosuid", "nodev", "noexec"] }, byDefault("names are looked up where the host does"));
}

function refuse(draft: Draft, pointer: string, message: string, hint: string): BrigError {
  return new BrigError(message, { code: "BRIG_BAD_VALUE", origin: describeOrigin(originOfOption(draft, pointer)), hint });
}
