import { join } from "node:path";
import { BrigError } from "../../error/brig-error.js";
import { isFolder } from "../../host/is-folder.js";
import { findLauncher } from "../../launch/find-launcher.js";
import { findSnapshot } from "../../rootfs/clone/snapshots.js";
import type { TreeComparison } from "../../rootfs/diff/compare-trees.js";
import { findTrees } from "../../rootfs/diff/find-trees.js";
import { type Change, listChanges } from "../../rootfs/overlay/changes.js";
import { dropMountPoints } from "../../rootfs/overlay/mount-points.js";
import { findSandbox } from "../../sandbox/find.js";
import type { Sandbox } from "../../sandbox/sandbox.js";
import { compareMapped } from "../compare-mapped.js";
import { type CommandForm, jsonOption } from "../grammar.js";
import { letters, showPath } from "../output/changes.js";
import { print, printError, printJson } from "../output/print.js";

export const command: CommandForm = {
  name: "diff",
  usage: ["diff [--json] [--content] A B", "diff [--json] [--content] ROOT|SNAPSHOT", "diff [--json] SANDBOX"],
  description:
    "Prints what became of a root, as docker diff does: A added, C changed, D deleted. With two words, folders or snapshots, what B has " +
    "that A has not; with a snapshot, what changed in its root since; with a root, since its last snapshot; with a sandbox that was " +
    "started with --ephemeral, what it has written so far. A folder with a change in it is listed as changed.",
  options: [
    { name: "content", help: "files of another time and the same size are compared byte by byte" },
    jsonOption,
  ],
  operands: "path",
  minOperands: 1,
  maxOperands: 2,
  examples: [
    { words: "brig diff before-upgrade", what: "what changed since that snapshot" },
    { words: "brig diff --content my_deb other_deb", what: "where two roots differ" },
  ],
  async run(words) {
    const [first, second] = words.operands as [string, string?];
    const { changes, unread } = second === undefined && !isTree(first) ? readSandboxChanges(findSandbox(first)) : await compareMapped(findTrees(first, second), { content: words.has("content") });
    if (words.has("json")) printJson({ changes: changes.map(({ kind, path, type }) => ({ kind, path, type })), unread });
    else if (changes.length > 0) print(changes.map(({ kind, path }) => `${letters[kind]} ${showPath(path)}`).join("\n"));
    if (unread.length > 0) printError(`brig: not yours to look into, and left out: ${unread.map(showPath).join(", ")}`);
  },
};

function isTree(word: string): boolean {
  return isFolder(word) || word.includes("/") || findSnapshot(word) !== undefined;
}

/** The upper sides of its overlays. */
function readSandboxChanges({ id, extension, record }: Sandbox): TreeComparison {
  const overlays = extension.overlay ?? [];
  if (overlays.length === 0) throw new BrigError(`sandbox ${id} writes to no overlay: there is nothing to compare with`, { code: "BRIG_NOT_EPHEMERAL", hint: "start it with --ephemeral" });
  const launcher = findLauncher();
  const changes = overlays.flatMap(({ lower, upper, destination }): Change[] => dropMountPoints(listChanges(lower, upper, launcher), destination, record?.spec).map((change) => ({ ...change, path: join(destination, change.path) })));
  return { changes, unread: [] };
}
