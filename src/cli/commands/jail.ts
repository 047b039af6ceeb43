import { existsSync, writeSync } from "node:fs";
import { isatty } from "node:tty";
import { BrigError } from "../../error/brig-error.js";
import { parseAddedPath } from "../../rootfs/jail/add-paths.js";
import { buildJail, type JailProgress, type JailReport } from "../../rootfs/jail/build-jail.js";
import { checkJail, type CheckReport } from "../../rootfs/jail/check-jail.js";
import { planJail } from "../../rootfs/jail/plan-jail.js";
import type { LinkMode } from "../../rootfs/jail/place-file.js";
import type { JailOptions, JailPlan } from "../../rootfs/jail/plan.js";
import { type CommandForm, jsonOption, type ParsedWords } from "../grammar.js";
import { showSize } from "../output/human.js";
import { print, printError, printJson } from "../output/print.js";
import { renderTable } from "../output/table.js";

const LINK_MODES = ["auto", "hard", "reflink", "copy"] as const;

export const command: CommandForm = {
  name: "jail",
  usage: ["jail build [OPTIONS] DIR PROGRAM…", "jail check [--json] DIR [PROGRAM…]"],
  description:
    "build makes DIR a root with just these programs and what they need to start: loader, libraries, the interpreters of scripts, " +
    "and the links that lead to them. It reads the files itself and runs neither ldd nor the programs. Built again, it mends what " +
    "changed and touches nothing else.\n\n" +
    "check says what each program of DIR lacks to start there, and exits with 1 when something is missing.",
  options: [
    { name: "names", help: "what host and user names take: nsswitch.conf, hosts, resolv.conf, NSS modules", group: "What comes along" },
    { name: "certs", help: "the trusted certificate authorities", group: "What comes along" },
    { name: "locale", value: "NAME", help: "a locale such as de_DE.UTF-8, or all", group: "What comes along" },
    { name: "terminfo", help: "the descriptions of terminals", group: "What comes along" },
    { name: "users", help: "passwd and group with root, nobody and yourself", group: "What comes along" },
    { name: "add", value: "PATH[:DST]", repeat: true, help: "a file or folder, and the libraries of what is in it", group: "What comes along", complete: "path" },
    { name: "link", value: "HOW", help: "auto (share blocks or copy), hard, reflink or copy", group: "How", complete: LINK_MODES },
    { name: "setuid", help: "keep setuid and setgid bits", group: "How" },
    { name: "from", value: "ROOT", help: "take the files from this root and not from the host's", group: "How", complete: "folder" },
    { name: "dry-run", help: "print what would be in the jail and why, and write nothing", group: "How" },
    { name: "verbose", short: "v", help: "print every file and why it is there", group: "How" },
    jsonOption,
  ],
  operands: "path",
  minOperands: 2,
  examples: [
    { words: "brig jail build /chroot bash ls", what: "a root with bash and ls; then: brig chroot /chroot /bin/bash" },
    { words: "brig jail build --names --certs /chroot curl", what: "a curl that finds hosts and trusts what this host trusts" },
    { words: "brig jail build --add /usr/lib/python3.11 /chroot /usr/bin/python3", what: "Python with its standard library" },
    { words: "brig jail build --dry-run /chroot git", what: "what git needs, and why" },
    { words: "brig jail check /chroot", what: "what the programs in it lack" },
  ],
  async run(words) {
    const [verb, dir, ...programs] = words.operands as [string, string, ...string[]];
    if (verb === "build") return runBuild(words, dir, programs);
    if (verb === "check") return runCheck(words, dir, programs);
    throw new BrigError(`brig jail has no ${JSON.stringify(verb)}`, { code: "BRIG_BAD_USAGE", hint: "brig jail build DIR PROGRAM…, or brig jail check DIR" });
  },
};

async function runBuild(words: ParsedWords, dir: string, programs: string[]): Promise<number> {
  const link = readLink(words.value("link"));
  const options = readOptions(words);
  if (programs.length === 0 && options.add?.length === 0) {
    throw new BrigError("no program to make a jail for", { code: "BRIG_BAD_USAGE", hint: "brig jail build DIR PROGRAM…" });
  }
  const plan = planJail(programs, options);
  if (words.has("dry-run")) return showPlan(words, plan);
  const report = await buildJail(dir, plan, { link, onProgress: makeProgress() });
  if (words.has("json")) printJson({ dir, ...report, notes: plan.notes });
  else showReport(words, dir, report, plan);
  return 0;
}

function readOptions(words: ParsedWords): JailOptions {
  return {
    names: words.has("names"),
    certs: words.has("certs"),
    locale: words.value("locale"),
    terminfo: words.has("terminfo"),
    users: words.has("users"),
    setuid: words.has("setuid"),
    from: words.value("from"),
    add: words.values("add").map((text) => parseAddedPath(text, existsSync)),
  };
}

function readLink(value: string | undefined): LinkMode {
  const mode = LINK_MODES.find((known) => known === (value ?? "auto"));
  if (mode) return mode;
  throw new BrigError(`--link ${value} is no way to bring a file into a jail`, { code: "BRIG_BAD_VALUE", hint: LINK_MODES.join(", "), origin: `--link ${value}` });
}

function showPlan(words: ParsedWords, plan: JailPlan): number {
  if (words.has("json")) printJson(plan);
  else {
    print(renderTable(["PATH", "TYPE", "SIZE", "WHY"], plan.entries.map((entry) => [entry.path, entry.type, entry.type === "file" ? showSize(entry.size) : "", entry.reason])));
    print(`${showSize(plan.bytes)} in ${plan.entries.filter(({ type }) => type === "file").length} files`);
    showNotes(plan);
  }
  return 0;
}

function showReport(words: ParsedWords, dir: string, report: JailReport, plan: JailPlan): void {
  if (words.has("verbose")) {
    print(renderTable(["PATH", "DONE", "SIZE", "WHY"], report.entries.map((entry) => [entry.path, entry.action, entry.type === "file" ? showSize(entry.bytes) : "", entry.reason])));
  }
  const counts = [`${report.copied} copied (${showSize(report.copiedBytes)})`, `${report.linked} linked`, `${report.kept} there already`];
  print(`${dir}: ${report.files} files, ${showSize(report.bytes)}: ${counts.join(", ")}`);
  showNotes(plan);
}

function showNotes(plan: JailPlan): void {
  for (const note of plan.notes) printError(`note: ${note}`);
}

/** A line that is written over, on a terminal, for what takes over a second. */
function makeProgress(): ((progress: JailProgress) => void) | undefined {
  if (!isatty(2)) return undefined;
  let next = Date.now() + 1000;
  let shown = false;
  return ({ done, total }) => {
    if (done === total && shown) writeSync(2, "\r\u001b[K");
    if (done === total || Date.now() < next) return;
    next = Date.now() + 250;
    shown = true;
    writeSync(2, `\rbrig: ${done} of ${total}\u001b[K`);
  };
}

function runCheck(words: ParsedWords, dir: string, programs: string[]): number {
  const foreign = words.typed.find(({ name }) => name !== "json" && name !== "verbose");
  if (foreign) throw new BrigError(`${foreign.text} is for brig jail build`, { code: "BRIG_BAD_OPTION", hint: "brig jail check [--json] DIR [PROGRAM…]" });
  const report = checkJail(dir, programs);
  if (words.has("json")) printJson(report);
  else showCheck(report);
  return report.ok ? 0 : 1;
}

function showCheck({ programs }: CheckReport): void {
  const rows = programs.flatMap(({ program, missing, hints }) => [
    ...missing.map(({ what, name, neededBy, hint }) => [program, `missing ${what}`, name, `${neededBy}: ${hint}`]),
    ...hints.map((hint) => [program, "hint", "", hint]),
  ]);
  if (rows.length > 0) print(renderTable(["PROGRAM", "WHAT", "NAME", "WHY"], rows));
  const lacking = programs.filter(({ missing }) => missing.length > 0).length;
  print(lacking === 0 ? `${programs.length} programs, nothing missing` : `${lacking} of ${programs.length} programs lack something`);
}
