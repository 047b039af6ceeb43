import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { isatty } from "node:tty";
import { exportContainer } from "../../container/files/export.js";
import { BrigError } from "../../error/brig-error.js";
import type { CommandForm } from "../grammar.js";
import { takeContainer } from "./each-container.js";

export const command: CommandForm = {
  name: "docker export",
  usage: ["docker export [-o FILE] CONTAINER"],
  description: "Writes a container's root as a tar archive to standard output.",
  options: [{ name: "output", short: "o", value: "FILE", complete: "path", help: "Write to a file, instead of STDOUT" }],
  minOperands: 1,
  maxOperands: 1,
  async run(words) {
    const file = words.value("output");
    if (file === undefined && isatty(1)) throw new BrigError("cowardly refusing to save to a terminal. Use the -o flag or redirect", { code: "BRIG_BAD_USAGE", exitCode: 1 });
    const { folder, container } = await takeContainer(words.operands[0]!);
    await exportContainer(folder, container, (tar) => pipeline(tar, file === undefined ? createWriteStream("", { fd: 1, autoClose: false }) : createWriteStream(file, { mode: 0o600 })));
  },
};
