import { basename } from "node:path";
import { BrigError } from "../../error/brig-error.js";
import { checkRoot } from "../../rootfs/check/check-root.js";
import { makeDebianRoot } from "../../rootfs/debootstrap/make-debian-root.js";
import { ARCHITECTURES, readRequest, TOOLS, VARIANTS } from "../../rootfs/debootstrap/request.js";
import { type CommandForm, jsonOption, type ParsedWords } from "../grammar.js";
import { print, printJson } from "../output/print.js";
import { ProgressLine } from "../output/progress-line.js";
import { renderTable } from "../output/table.js";
import { untilInterrupted } from "../until-interrupted.js";

const making = "debootstrap";

export const command: CommandForm = {
  name: "rootfs",
  usage: ["rootfs debootstrap [OPTIONS] DIR", "rootfs debootstrap [OPTIONS] SUITE DIR [MIRROR]", "rootfs check [--json] DIR"],
  description:
    "debootstrap makes DIR a Debian root, through mmdebstrap or debootstrap. An ordinary user can do it too: the tool is then root " +
    "in a user namespace with the ids of /etc/subuid. DIR appears when it is whole; interrupted, nothing is left of it.\n\n" +
    "check says what DIR lacks to be entered, and exits with 1 when something is missing.",
  options: [
    { name: "suite", value: "NAME", help: "Debian's release (default bookworm)", group: making },
    { name: "arch", value: "ARCH", help: "amd64 or i386 on a 64-bit PC (default: the host's)", group: making, complete: ARCHITECTURES },
    { name: "variant", value: "NAME", help: "how much: minbase (default), buildd, important; mmdebstrap has essential, apt, required, standard too", group: making, complete: VARIANTS.mmdebstrap },
    { name: "include", value: "A,B", repeat: true, help: "more packages", group: making },
    { name: "mirror", value: "URL", help: "the archive (default: this host's apt's)", group: making },
    { name: "tool", value: "NAME", help: "mmdebstrap or debootstrap (default: the first that is there)", group: making, complete: TOOLS },
    jsonOption,
  ],
  operands: "folder",
  minOperands: 2,
  maxOperands: 4,
  examples: [
    { words: "brig rootfs debootstrap my_deb", what: "a minimal Debian; then: brig chroot my_deb /bin/bash" },
    { words: "brig rootfs debootstrap --include systemd,dbus my_machine", what: "one that boots" },
    { words: "brig rootfs debootstrap --arch=amd64 unstable my_deb/", what: "the words of debootstrap(8)" },
    { words: "brig rootfs debootstrap --arch i386 old", what: "for 32-bit programs on a 64-bit host" },
    { words: "brig rootfs check my_deb", what: "what it lacks to be entered" },
  ],
  async run(words) {
    const [verb, ...rest] = words.operands as [string, string];
    if (verb === "debootstrap") return runDebootstrap(words, rest);
    if (verb === "check" && rest.length === 1) return runCheck(words, rest[0]!);
    if (verb === "check") throw new BrigError("brig rootfs check looks at one root", { code: "BRIG_BAD_USAGE", hint: "brig rootfs check [--json] DIR" });
    throw new BrigError(`brig rootfs has no ${JSON.stringify(verb)}`, { code: "BRIG_BAD_USAGE", hint: "brig rootfs debootstrap DIR, or brig rootfs check DIR" });
  },
};

async function runDebootstrap(words: ParsedWords, operands: string[]): Promise<number> {
  const [dir, suite, mirror] = readOperands(words, operands);
  const value = (name: string): string | undefined => words.value(name);
  const include = words.values("include").flatMap((names) => names.split(",")).filter(Boolean);
  const request = readRequest({ suite, mirror, arch: value("arch"), variant: value("variant"), tool: value("tool"), include });
  const line = new ProgressLine(basename(dir));
  try {
    await untilInterrupted((signal) => makeDebianRoot(dir, request, ({ stage, done, item }) => line.show(stage, done, item), signal));
  } finally {
    line.end();
  }
  const { arch, variant, tool } = request;
  if (words.has("json")) printJson({ dir, suite: request.suite, arch, variant, tool, include });
  else print(`${dir}: Debian ${request.suite} for ${arch}, ${variant}, made by ${tool}`);
  return 0;
}

/** DIR, or as debootstrap(8) has it: SUITE DIR [MIRROR]. */
function readOperands(words: ParsedWords, operands: string[]): [dir: string, suite: string | undefined, mirror: string | undefined] {
  if (operands.length === 1) return [operands[0]!, words.value("suite"), words.value("mirror")];
  const [suite, dir, mirror] = operands;
  const twice = words.typed.find(({ name }) => name === "suite" || (name === "mirror" && mirror !== undefined));
  if (twice) throw new BrigError(`${twice.text} and ${twice.name === "suite" ? suite : mirror} both say the ${twice.name}`, { code: "BRIG_BAD_USAGE", hint: "leave one of them out" });
  return [dir!, suite, mirror ?? words.value("mirror")];
}

function runCheck(words: ParsedWords, dir: string): number {
  const foreign = words.typed.find(({ name }) => name !== "json");
  if (foreign) throw new BrigError(`${foreign.text} is for brig rootfs debootstrap`, { code: "BRIG_BAD_OPTION", hint: "brig rootfs check [--json] DIR" });
  const report = checkRoot(dir);
  const { findings, machine, programs, ok } = report;
  if (words.has("json")) return printJson(report), ok ? 0 : 1;
  if (findings.length > 0) print(renderTable(["WHAT", "PATH", "", "WHAT TO DO"], findings.map(({ weight, path, what, fix }) => [weight, path, what, fix])));
  print(`${dir}: ${machine ?? "no machine known"}, ${programs} programs, ${ok ? "nothing missing" : "something is missing"}`);
  return ok ? 0 : 1;
}
