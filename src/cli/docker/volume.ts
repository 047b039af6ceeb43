import { openContainersFolder } from "../../container/folder.js";
import { readContainers } from "../../container/store.js";
import { listVolumes, makeVolume, readVolume, removeVolume } from "../../container/volumes.js";
import { BrigError } from "../../error/brig-error.js";
import { splitPair } from "../../tools/docker/values.js";
import type { CommandForm, ParsedWords } from "../grammar.js";
import { printListing } from "../output/listing.js";
import { print, printError } from "../output/print.js";

export const command: CommandForm = {
  name: "docker volume",
  usage: ["docker volume create [--label NAME=VALUE] [NAME]", "docker volume ls [-q]", "docker volume inspect NAME...", "docker volume rm [-f] NAME...", "docker volume prune [-f] [-a]"],
  options: [
    { name: "label", value: "NAME=VALUE", repeat: true, help: "Set metadata for a volume" },
    { name: "driver", short: "d", value: "NAME", help: "local: there is no other" },
    { name: "format", value: "FORMAT", help: "table, json, or a template as '{{.Name}}'" },
    { name: "quiet", short: "q", help: "Only display volume names" },
    { name: "force", short: "f", help: "Of one that is not there say nothing; do not prompt" },
    { name: "all", short: "a", help: "Remove all unused volumes, not just anonymous ones" },
  ],
  minOperands: 1,
  run(words) {
    const [verb = "", ...names] = words.operands;
    const act = VERBS[verb];
    if (!act) throw new BrigError(`'${verb}' is not a command of docker volume`, { code: "BRIG_BAD_USAGE", exitCode: 1, hint: "create, ls, inspect, rm, prune" });
    if ((words.value("driver") ?? "local") !== "local") throw new BrigError(`error looking up volume plugin ${words.value("driver")}`, { code: "BRIG_BAD_VALUE", exitCode: 1, hint: "local is the only driver" });
    return act(names, words);
  },
};

type Verb = (names: string[], words: ParsedWords) => number | void;

const VERBS: Record<string, Verb> = {
  create: ([name], words) => print(`${makeVolume(name, Object.fromEntries(words.values("label").map(splitPair))).Name}\n`),
  ls: (_names, words) => list(words),
  inspect: (names) => forEach(names, (name) => print(`${JSON.stringify([require(name)], null, 4)}\n`)),
  rm: (names, words) => forEach(names, (name) => remove(name, words.has("force"))),
  prune: (_names, words) => prune(words.has("all")),
};

function list(words: ParsedWords): void {
  if (words.has("quiet")) return print(listVolumes().map(({ Name }) => `${Name}\n`).join(""));
  printListing({ format: words.value("format"), columns: [["Driver", "DRIVER"], ["Name", "VOLUME NAME"]], rows: listVolumes().map((volume) => ({ ...volume })) });
}

function forEach(names: string[], act: (name: string) => void): number {
  let status = 0;
  for (const name of names)
    try {
      act(name);
    } catch (error) {
      if (!(error instanceof BrigError)) throw error;
      printError(`Error: ${error.message}`);
      status = 1;
    }
  return status;
}

function require(name: string): object {
  const volume = readVolume(name);
  if (!volume) throw new BrigError(`get ${name}: no such volume`, { code: "BRIG_NO_SUCH_VOLUME", exitCode: 1, hint: "brig docker volume ls" });
  return volume;
}

function listUsers(name: string): string[] {
  return readContainers(openContainersFolder()).filter(({ Mounts }) => Mounts.some((mount) => mount.Type === "volume" && mount.Name === name)).map(({ Id }) => Id);
}

function remove(name: string, force: boolean): void {
  if (!force) require(name);
  const users = listUsers(name);
  if (users.length > 0) throw new BrigError(`remove ${name}: volume is in use - [${users.join(", ")}]`, { code: "BRIG_IN_USE", exitCode: 1, hint: "remove those containers first" });
  removeVolume(name);
  print(`${name}\n`);
}

function prune(all: boolean): void {
  const unused = listVolumes().filter(({ Name }) => (all || /^[0-9a-f]{64}$/.test(Name)) && listUsers(Name).length === 0);
  for (const { Name } of unused) removeVolume(Name);
  if (unused.length > 0) print(`Deleted Volumes:\n${unused.map(({ Name }) => `${Name}\n`).join("")}\n`);
}
