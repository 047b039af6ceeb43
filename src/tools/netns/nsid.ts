import { spawnSync } from "node:child_process";
import { findLauncher } from "../../launch/find-launcher.js";
import { listNames } from "./look.js";
import { EXIT_REFUSED, netnsError, netnsPath } from "./names.js";

/** ip's status when the kernel refused. */
const EXIT_KERNEL = 2;

export interface NamedId {
  nsid: number;
  /** For another namespace's ids: what this one calls the same namespace, where it has an id for it. */
  "current-nsid"?: number;
  /** Its name in /run/netns, where it has one. */
  name?: string;
}

/** The names with the id that this network namespace has for each, where it has one. */
export function listWithIds(names: string[]): { name: string; id?: number }[] {
  const ids = readIds(names);
  return names.map((name, index) => (ids[index] === undefined ? { name } : { name, id: ids[index] }));
}

/**
 * The ids that this network namespace, or the one with the id `target`, has for others.
 * @throws BrigError when `nsid` or `target` is no id
 */
export function listIds(asked: { target?: number; nsid?: number }): NamedId[] {
  const names = listNames();
  const own = readIds(names);
  const nameOf = (id: number | undefined): { name?: string } => {
    const index = id === undefined ? -1 : own.indexOf(id);
    return index < 0 ? {} : { name: names[index]! };
  };
  const words = ["dump", asked.target === undefined ? "" : String(asked.target), asked.nsid === undefined ? "" : String(asked.nsid)];
  return ask(words).map((line) => {
    const [nsid, current] = line.split(" ").map(Number);
    if (asked.target === undefined) return { nsid: nsid!, ...nameOf(nsid) };
    return { nsid: nsid!, ...(Number.isNaN(current) ? {} : { "current-nsid": current! }), ...nameOf(current) };
  });
}

/** Gives a namespace an id; "auto" takes a free one. The kernel refuses to change one. */
export function setId(name: string, nsid: number | "auto"): void {
  ask(["set", netnsPath(name), nsid === "auto" ? "-1" : String(nsid)], name);
}

function readIds(names: string[]): (number | undefined)[] {
  if (names.length === 0) return [];
  return ask(["get", ...names.map(netnsPath)]).map((line) => (line === "-" ? undefined : Number(line)));
}

/** The launcher speaks rtnetlink, which Node does not. It answers in lines. */
function ask(words: string[], name?: string): string[] {
  const { status, stdout, stderr } = spawnSync(findLauncher(), ["--nsid", ...words], { encoding: "utf8" });
  if (status === 0) return stdout.split("\n").filter((line) => line !== "");
  const message = stderr.trim();
  if (message.startsWith("open: ")) throw netnsError(`Cannot open network namespace "${name ?? ""}": ${message.slice(6)}`);
  throw netnsError(`Error: ${message || "the kernel gave no answer"}.`, status === EXIT_KERNEL ? EXIT_KERNEL : EXIT_REFUSED);
}
