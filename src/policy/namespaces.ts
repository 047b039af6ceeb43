import { BrigError } from "../error/brig-error.js";
import type { NamespaceType } from "../spec/oci.js";
import { describeOrigin } from "../spec/origin.js";
import { byDefault, type Draft, originOfOption } from "./draft.js";

/** All but the network's, which `network.ts` sets. */
const NEW: NamespaceType[] = ["user", "mount", "pid", "ipc", "uts", "cgroup", "time"];
const WORDS: Record<string, string> = { net: "network" };
const SHAREABLE = ["pid", "ipc", "uts", "net", "user", "cgroup", "time"];

/** Every namespace new, but for those that are shared with the host by name. */
export function setNamespaces(draft: Draft): void {
  const { share = [] } = draft.options;
  share.forEach((word, index) => checkShared(draft, word, index));
  if (share.includes("net")) shareNetwork(draft);
  const shared = new Set(share.map((word) => WORDS[word] ?? word));
  draft.linux.namespaces = NEW.filter((type) => !shared.has(type)).map((type) => ({ type }));
  draft.origins["/linux/namespaces"] = byDefault("every namespace is new");
  if (!shared.has("uts")) setHostname(draft);
  draft.extension.keyring = true;
}

/** What sethostname(2) has room for, of the characters that hostname(7) allows, and "_", which is in use. */
const HOSTNAME = /^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,63})$/;

function setHostname(draft: Draft): void {
  const { hostname } = draft.options;
  if (hostname !== undefined && !HOSTNAME.test(hostname)) throw refuse(draft, "/hostname", `${JSON.stringify(hostname)} is no host name`, "letters, digits, dots and hyphens, at most 64");
  draft.hostname = draft.options.hostname ?? "brig";
  draft.origins["/hostname"] = draft.options.hostname === undefined ? byDefault("the host's name is its own") : originOfOption(draft, "/hostname");
}

function shareNetwork(draft: Draft): void {
  const { net } = draft.options;
  if (net !== undefined && net !== "host") throw refuse(draft, "/net", `--share net and --net ${net} contradict each other`, "say one of them");
  draft.options.net = "host";
}

function checkShared(draft: Draft, word: string, index: number): void {
  if (word === "mount") throw refuse(draft, `/share/${index}`, "the mount namespace cannot be shared: it is what hides the host's files", "--read and --write show what you name; brig unshare leaves out what you like");
  if (!SHAREABLE.includes(word)) throw refuse(draft, `/share/${index}`, `there is no namespace ${JSON.stringify(word)}`, SHAREABLE.join(", "));
}

function refuse(draft: Draft, pointer: string, message: string, hint: string): BrigError {
  return new BrigError(message, { code: "BRIG_BAD_VALUE", origin: describeOrigin(originOfOption(draft, pointer)), hint });
}
