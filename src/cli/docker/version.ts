import { arch, platform } from "node:os";
import type { CommandForm } from "../grammar.js";
import { print } from "../output/print.js";
import { compileTemplate } from "../output/template.js";
import { version } from "../version.js";

/** The version of the Docker Engine API whose names and words these commands have. */
const API = "1.43";

export const command: CommandForm = {
  name: "docker version",
  usage: ["docker version [-f FORMAT]"],
  description: "There is no daemon: client and server are the same program.",
  options: [{ name: "format", short: "f", value: "FORMAT", help: "a template as '{{.Server.Version}}', or json" }],
  maxOperands: 0,
  run(words) {
    const format = words.value("format");
    const side = { Version: version, ApiVersion: API, Os: platform(), Arch: arch() === "x64" ? "amd64" : arch() };
    const all = { Client: side, Server: side };
    if (format !== undefined) return print(`${format === "json" ? JSON.stringify(all) : compileTemplate(format)(all)}\n`);
    print(`brig\n Version:     ${version}\n API version: ${API}\n OS/Arch:     ${side.Os}/${side.Arch}\n`);
  },
};
