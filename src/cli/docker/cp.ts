import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { copyFromStream, copyIn, copyOut, copyToStream } from "../../container/files/copy.js";
import { BrigError } from "../../error/brig-error.js";
import type { CommandForm } from "../grammar.js";
import { takeContainer } from "./each-container.js";

export const command: CommandForm = {
  name: "docker cp",
  usage: ["docker cp [-a] [-L] CONTAINER:PATH PATH|-", "docker cp [-a] [-L] PATH|- CONTAINER:PATH"],
  description: "Copies files between a container, running or not, and the host. \"-\" is a tar archive on standard input or output.",
  options: [
    { name: "archive", short: "a", help: "Archive mode (copy all uid/gid information, and set-id bits)" },
    { name: "follow-link", short: "L", help: "Always follow symbol link in SRC_PATH" },
    { name: "quiet", short: "q", help: "Nothing is printed anyway" },
  ],
  minOperands: 2,
  maxOperands: 2,
  async run(words) {
    const [from, to] = words.operands.map(split) as [Place, Place];
    const options = { archive: words.has("archive"), followLink: words.has("follow-link") };
    if ((from.container === undefined) === (to.container === undefined)) throw refuse(from.container !== undefined);
    const { folder, container } = await takeContainer((from.container ?? to.container)!);
    if (from.container === undefined) return from.path === "-" ? copyFromStream(folder, container, 0, to.path) : copyIn(folder, container, from.path, to.path, options);
    if (to.path !== "-") return copyOut(folder, container, from.path, to.path, options);
    await copyToStream(folder, container, from.path, options, (tar) => pipeline(tar, createWriteStream("", { fd: 1, autoClose: false })));
  },
};

interface Place {
  container?: string;
  path: string;
}

/** A path of the host that has a colon in it begins with "/" or ".". */
function split(word: string): Place {
  const at = word.indexOf(":");
  return at <= 0 || /^[./]/.test(word) ? { path: word } : { container: word.slice(0, at), path: word.slice(at + 1) };
}

function refuse(both: boolean): BrigError {
  return new BrigError(both ? "copying between containers is not supported" : "must specify at least one container source", { code: "BRIG_BAD_USAGE", exitCode: 1, hint: "CONTAINER:PATH on one side" });
}
