import { accessSync, constants, mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { BrigError } from "../../error/brig-error.js";
import { describeErrno } from "../../error/errno.js";
import { readAccounts } from "../../host/accounts.js";
import { readHostFacts } from "../../host/facts.js";
import { readText } from "../../host/read-text.js";
import { runProgram } from "../../machine/run-program.js";
import type { Spec } from "../../spec/oci.js";
import { buildUnit } from "../../unit/build-unit.js";
import type { Lack, UnitFacts } from "../../unit/draft.js";
import { renderPlanUnit, renderUnit, type ServiceWords } from "../../unit/render-unit.js";
import { readAskedSandbox, sandboxOptions } from "../asked-sandbox.js";
import { type CommandForm, jsonOption, type ParsedWords } from "../grammar.js";
import { print, printError } from "../output/print.js";
import { writeServicePlan } from "../service-plan.js";

const UNIT_FOLDER = "/etc/systemd/system";
const PLAN_FOLDER = "/usr/local/lib/brig";
const TYPES = ["exec", "simple", "forking", "oneshot", "notify", "dbus", "idle"];

export const command: CommandForm = {
  name: "unit",
  usage: ["unit NAME [OPTIONS] -- COMMAND [ARGUMENT…]", "unit NAME --profile FILE [OPTIONS]"],
  description:
    "Writes a systemd service with the walls of brig run, by systemd's own directives. What those cannot say is done by a compiled plan, which the service starts: a comment tells why. " +
    "Of the folder that you are in it shows the service nothing, unless --project does.",
  options: [
    { name: "out", short: "o", value: "PATH", group: "Service", complete: "path", help: "write it to a file or into a folder (default: standard output)" },
    { name: "install", group: "Service", help: "write it to /etc/systemd/system, and let systemd know" },
    { name: "how", value: "HOW", group: "Service", complete: ["auto", "directives", "plan"], help: "auto (default); directives: it is an error where they do not suffice; plan: always" },
    { name: "description", value: "TEXT", group: "Service", help: "what systemctl status says of it" },
    { name: "type", value: "TYPE", group: "Service", complete: TYPES, help: "systemd's Type= (default exec)" },
    { name: "before", value: "COMMAND", repeat: true, group: "Service", help: "a command line that is run before it, as root and without its walls (ExecStartPre=+)" },
    { name: "after", value: "UNIT", repeat: true, group: "Service", help: "a unit that is started before it, such as network-online.target" },
    { name: "wanted-by", value: "TARGET", group: "Service", help: "what starts it when it is enabled (default multi-user.target)" },
    { name: "restart", value: "WHEN", group: "Service", complete: ["no", "always", "on-failure"], help: "systemd's Restart= (default no)" },
    ...sandboxOptions,
    { ...jsonOption, group: "Service", help: "errors as JSON" },
  ],
  minOperands: 1,
  operands: "none",
  examples: [
    { words: "brig unit hello -- /usr/bin/python3 -m http.server", what: "a service that sees nothing but the system's programs" },
    { words: "brig unit my_chroot --root /srv/my_deb --before /srv/setup.sh --install -- /usr/sbin/daemon", what: "a daemon in a root of its own, with a script before it" },
  ],
  async run(words) {
    const [typed, ...operands] = words.operands;
    const name = requireUnitName(typed!);
    const { spec } = await readAskedSandbox(forService(words, operands), readHostFacts());
    const unit = await writeUnit(words, name, spec, operands);
    deliver(words, name, unit);
  },
};

/** The words of `brig run`, but that the folder that a person is in is none of a service's business. */
function forService(words: ParsedWords, operands: string[]): ParsedWords {
  const given = (name: string): boolean => words.typed.some((option) => option.name === name);
  const defaults = words.has("spec") ? [] : [["project", "none"], ["cwd", "/"]].filter(([name]) => !given(name!) && !given("project"));
  const added = defaults.map(([name, value]) => ({ name: name!, value: value!, on: true, text: `--${name} ${value}` }));
  const typed = [...words.typed, ...added];
  const last = (name: string) => typed.findLast((option) => option.name === name);
  return { typed, operands, has: (name) => last(name)?.on ?? false, value: (name) => last(name)?.value, values: (name) => typed.filter((option) => option.name === name).map(({ value }) => value) };
}

async function writeUnit(words: ParsedWords, name: string, spec: Spec, command: string[]): Promise<string> {
  const how = readChoice(words, "how", ["auto", "directives", "plan"]);
  const { lines, lacks } = buildUnit(spec, hostFacts);
  if (how === "directives") refuseLacks(lacks);
  const service = readServiceWords(words, name, spec);
  if (how !== "plan" && lacks.length === 0) return renderUnit(lines, service);
  return renderPlanUnit(await placePlan(words, name, spec, command), lacks, service);
}

function refuseLacks(lacks: readonly Lack[]): void {
  const [first] = lacks;
  if (first) throw new BrigError(`systemd has no words for ${lacks.map(({ what }) => what).join("; ")}`, { code: "BRIG_NO_DIRECTIVE", origin: first.origin, hint: "--how auto has a compiled plan do it" });
}

/** The plan stands beside the unit, or where installed programs stand. */
async function placePlan(words: ParsedWords, name: string, spec: Spec, command: string[]): Promise<string> {
  const out = words.value("out");
  if (!words.has("install") && out === undefined)
    throw new BrigError("this service needs a compiled plan beside it", { code: "BRIG_BAD_USAGE", hint: "--out FOLDER writes both, --install puts both into their places" });
  const path = words.has("install") ? join(PLAN_FOLDER, name) : join(dirname(placeOf(out!, name)), `${name}.plan`);
  mkdirSync(dirname(path), { recursive: true });
  await writeServicePlan(path, spec, command);
  return path;
}

function deliver(words: ParsedWords, name: string, text: string): void {
  const out = words.value("out");
  if (out !== undefined) writeWhole(placeOf(out, name), text);
  if (words.has("install")) install(name, text);
  else if (out === undefined) print(text);
}

function install(name: string, text: string): void {
  mkdirSync(UNIT_FOLDER, { recursive: true });
  writeWhole(join(UNIT_FOLDER, `${name}.service`), text);
  if (statSync("/run/systemd/system", { throwIfNoEntry: false })?.isDirectory()) runProgram("systemctl", ["daemon-reload"]);
  printError(`${name}.service is installed; systemctl start ${name} starts it, systemctl enable ${name} with the host`);
}

function placeOf(out: string, name: string): string {
  const path = resolve(out);
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ? join(path, `${name}.service`) : path;
}

function writeWhole(path: string, text: string): void {
  const part = join(dirname(path), `.${basename(path)}.${process.pid}`);
  try {
    writeFileSync(part, text, { flag: "wx", mode: 0o644 });
    renameSync(part, path);
  } catch (error) {
    throw new BrigError(`cannot write ${path}: ${describeErrno(error as NodeJS.ErrnoException)}`, { code: "BRIG_CANNOT_WRITE", hint: "name a file in a folder that you may write", cause: error });
  }
}

function readServiceWords(words: ParsedWords, name: string, spec: Spec): ServiceWords {
  return {
    description: words.value("description") ?? `${name}: ${(spec.process?.args ?? []).join(" ")}`.slice(0, 200),
    type: readChoice(words, "type", TYPES),
    before: words.values("before").map(checkLine),
    after: words.values("after").map(checkUnit),
    wantedBy: checkUnit(words.value("wanted-by") ?? "multi-user.target"),
    restart: readChoice(words, "restart", ["no", "always", "on-success", "on-failure", "on-abnormal", "on-abort", "on-watchdog"]),
  };
}

function readChoice(words: ParsedWords, name: string, known: readonly string[]): string {
  const value = words.value(name) ?? known[0]!;
  if (!known.includes(value)) throw new BrigError(`--${name} cannot be ${JSON.stringify(value)}`, { code: "BRIG_BAD_VALUE", hint: known.join(", ") });
  return value;
}

/** A command line of a person's own: systemd reads it, with its variables and specifiers. */
function checkLine(text: string): string {
  if (!text.startsWith("/") || /[\n\r]/.test(text)) throw new BrigError(`--before ${JSON.stringify(text)} is no command line with an absolute path`, { code: "BRIG_BAD_VALUE", hint: "--before '/usr/local/bin/setup --fast'" });
  return text;
}

function checkUnit(text: string): string {
  if (!/^[A-Za-z0-9:_.\\@-]{1,250}$/.test(text)) throw new BrigError(`${JSON.stringify(text)} is no name of a unit`, { code: "BRIG_BAD_VALUE", hint: "such as network-online.target" });
  return text;
}

function requireUnitName(text: string): string {
  const name = text.replace(/\.service$/, "");
  if (!/^[A-Za-z0-9][A-Za-z0-9:_.-]{0,200}$/.test(name)) throw new BrigError(`${JSON.stringify(text)} is no name for a service`, { code: "BRIG_BAD_VALUE", hint: "letters, digits, and : _ . - behind the first" });
  return name;
}

const hostFacts: UnitFacts = {
  accounts: readAccounts(readText),
  ownerOf: (path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat && { uid: stat.uid, gid: stat.gid };
  },
  exists: (path) => {
    try {
      accessSync(path, constants.F_OK);
      return true;
    } catch {
      return false;
    }
  },
};
