import { cloneRoot } from "../../rootfs/clone/clone-root.js";
import { findTree } from "../../rootfs/diff/find-trees.js";
import { type CommandForm, jsonOption } from "../grammar.js";
import { print, printJson } from "../output/print.js";
import { describeMethod } from "../output/clone-method.js";

export const command: CommandForm = {
  name: "clone",
  usage: ["clone [--json] ROOT|SNAPSHOT DIR"],
  description:
    "DIR becomes a copy of a root, or of a snapshot: owners, modes, times, hard links, ACLs, file capabilities, holes and device nodes " +
    "as they are. Blocks are shared where the file system can (btrfs, xfs); elsewhere they are copied. What is mounted in the root " +
    "stays behind. DIR appears when it is whole. An ordinary user's files of other owners are copied in a user namespace (subuid(5)).",
  options: [jsonOption],
  operands: "folder",
  minOperands: 2,
  maxOperands: 2,
  examples: [
    { words: "brig clone my_deb web1", what: "a root of its own for web1" },
    { words: "brig clone before-upgrade my_deb", what: "a snapshot's files as a root again" },
  ],
  async run(words) {
    const [root, dir] = words.operands as [string, string];
    const method = await cloneRoot(findTree(root), dir);
    if (words.has("json")) printJson({ root, dir, method });
    else print(`${dir}: a clone of ${root}, ${describeMethod(method)}`);
  },
};
