import { readFileSync } from "node:fs";
import { BrigError } from "../../error/brig-error.js";
import { completePosture, explainPosture } from "../../explain/explain-posture.js";
import type { Posture } from "../../explain/posture.js";
import { predictPosture } from "../../explain/predict-posture.js";
import { readPosture } from "../../explain/read-posture.js";
import { readRecord } from "../../explain/read-record.js";
import { renderWalls } from "../../explain/render-walls.js";
import { type HostFacts, readHostFacts } from "../../host/facts.js";
import { buildSpec } from "../../policy/build-spec.js";
import type { Spec } from "../../spec/oci.js";
import { specSchema } from "../../spec/schema.js";
import { type CommandForm, jsonOption, type ParsedWords } from "../grammar.js";
import { wantsColour } from "../output/colour.js";
import { measureScreen } from "../output/screen.js";
import { print, printJson } from "../output/print.js";

export const command: CommandForm = {
  name: "explain",
  usage: ["explain --pid PID", "explain --spec FILE", "explain -- COMMAND [ARGUMENT…]"],
  description:
    "Says wall by wall what separates a process from this host: one that runs, whoever started it, or one that brig would start. " +
    "closed: nothing passes. narrow: something does. open: there is no wall; what an attacker could do is said below it.",
  options: [
    { name: "pid", value: "PID", help: "a running process" },
    { name: "spec", value: "FILE", help: "an OCI config.json", complete: "path" },
    jsonOption,
  ],
  stopAtOperand: true,
  operands: "command",
  examples: [
    { words: "brig explain -- ls -la", what: "what brig run -- ls -la would be kept from" },
    { words: "brig explain --pid $(pidof firefox)", what: "what separates a running program from the host" },
    { words: "brig explain --pid 1234 --json", what: "the walls and everything that was read, for programs" },
  ],
  run(words) {
    const posture = choosePosture(words, readHostFacts());
    const walls = explainPosture(posture);
    if (words.has("json")) printJson({ posture, walls });
    else print(renderWalls(walls, { width: measureScreen(), color: wantsColour(1), notes: posture.notes }));
  },
};

function choosePosture(words: ParsedWords, host: HostFacts): Posture {
  const pid = words.value("pid");
  const file = words.value("spec");
  const given = [pid, file, words.operands[0]].filter((value) => value !== undefined);
  if (given.length !== 1) throw refuseUsage("brig explain wants one of --pid PID, --spec FILE and a command");
  if (pid !== undefined) return explainRunning(pid, host);
  const spec = file === undefined ? planCommand(words.operands, host) : readSpec(file);
  return predictPosture(spec, { landlockAbi: host.landlockAbi });
}

function refuseUsage(message: string): BrigError {
  return new BrigError(message, { code: "BRIG_BAD_USAGE", hint: "brig explain --help" });
}

function explainRunning(text: string, host: HostFacts): Posture {
  const pid = Number(text);
  if (!/^\d{1,10}$/.test(text)) throw refuseUsage(`--pid ${JSON.stringify(text)} is no process id`);
  const posture = readPosture(pid);
  const spec = readRecord("/proc/", pid, findRunFolder(host));
  return spec ? completePosture(posture, spec, { landlockAbi: host.landlockAbi }) : posture;
}

function findRunFolder(host: HostFacts): string {
  if (host.euid === 0) return "/run/brig";
  const folder = process.env["XDG_RUNTIME_DIR"];
  return folder ? `${folder}/brig` : `/tmp/brig-${host.euid}`;
}

function planCommand(words: readonly string[], host: HostFacts): Spec {
  const home = process.env["HOME"]?.startsWith("/") ? process.env["HOME"] : "/";
  return buildSpec({}, words, { cwd: process.cwd(), env: process.env, home, host });
}

function readSpec(file: string): Spec {
  const refuse = (why: string, cause: unknown): BrigError =>
    new BrigError(`cannot explain the spec ${file}: ${why}`, { code: "BRIG_BAD_SPEC", hint: "an OCI config.json, as brig spec prints it", cause });
  try {
    const { data, error } = specSchema.safeParse(JSON.parse(readFileSync(file, "utf8")));
    if (data) return data as Spec;
    throw refuse(describeIssues(error), error);
  } catch (error) {
    throw error instanceof BrigError ? error : refuse((error as Error).message, error);
  }
}

function describeIssues({ issues }: { issues: readonly { path: PropertyKey[]; message: string }[] }): string {
  return issues.map((issue) => `/${issue.path.map(String).join("/")}: ${issue.message}`).join("; ");
}
