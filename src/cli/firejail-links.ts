import { existsSync, lstatSync, mkdirSync, readdirSync, realpathSync, symlinkSync, unlinkSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { BrigError } from "../error/brig-error.js";
import { findOther, isLinkTo, listProgramFolders } from "../host/programs.js";
import { readText } from "../host/read-text.js";
import { findLauncher } from "../launch/find-launcher.js";
import type { ToolRun } from "./soft-tool.js";

/** As firecfg(1): a list of names, "#" before a comment and "!" before what shall have no link. */
const LIST = "/etc/firejail/firecfg.config";

/** Links of programs' names to brig, for all that are installed and in Firejail's list; returns a line for each. */
export function makeLinks(run: ToolRun): string[] {
  const names = (readText(LIST) ?? "").split("\n").map((line) => line.replace(/#.*/, "").trim());
  if (names.every((name) => name === "")) throw new BrigError(`cannot read ${LIST}`, { code: "BRIG_NO_SUCH_PROFILE", exitCode: 1, hint: "apt-get install firejail-profiles" });
  const folder = findFolder(run);
  const launcher = realpathSync(findLauncher());
  mkdirSync(folder, { recursive: true });
  return names.flatMap((name) => (/^[\w.+-]+$/.test(name) ? makeLink(folder, name, launcher) : []));
}

function makeLink(folder: string, name: string, launcher: string): string[] {
  const path = join(folder, name);
  const program = findOther(name, listProgramFolders(process.env["PATH"] ?? ""), launcher);
  if (program === undefined || program === path) return [];
  if (lstatSync(path, { throwIfNoEntry: false })) return [];
  symlinkSync(launcher, path);
  return [`${path} for ${program}`];
}

/** Takes out what leads to brig, but for the links named brig and firejail. */
export function dropLinks(run: ToolRun): string[] {
  const folder = findFolder(run);
  const launcher = realpathSync(findLauncher());
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.flatMap((name) => {
    const path = join(folder, name);
    if (name === "brig" || name === "firejail" || !isLinkTo(path, launcher)) return [];
    unlinkSync(path);
    return [`${path} removed`];
  });
}

/** Before /usr/bin on everybody's PATH, or on the user's own. */
function findFolder({ host }: ToolRun): string {
  const { HOME: home } = process.env;
  return host.euid === 0 ? "/usr/local/bin" : join(home?.startsWith("/") ? home : homedir(), ".local/bin");
}
