import { BrigError } from "../../error/brig-error.js";
import { completePosture, explainPosture } from "../../explain/explain-posture.js";
import type { Posture } from "../../explain/posture.js";
import { predictPosture } from "../../explain/predict-posture.js";
import { readPosture } from "../../explain/read-posture.js";
import { readRecord } from "../../explain/read-record.js";
import { renderWalls } from "../../explain/render-walls.js";
import { type HostFacts, readHostFacts } from "../../host/facts.js";
import { findRunFolder } from "../../launch/run-folder.js";
import { sandboxOptions } from "../asked-sandbox.js";
import { compileAsked } from "../compile-asked.js";
import { type CommandForm, jsonOption, type ParsedWords } from "../grammar.js";
import { wantsColour } from "../output/colour.js";
import { print, printJson } from "../output/print.js";
import { measureScreen } from "../output/screen.js";

export const command: CommandForm = {
  name: "explain",
  usage: ["explain --pid PID", "explain [OPTIONS OF run] [--] COMMAND [ARGUMENT…]", "explain --spec PATH"],
  description:
    "Says wall by wall what separates a process from this host: one that runs, whoever started it, or one that brig run would start with these options. " +
    "closed: nothing passes. narrow: something does. open: there is no wall; what an attacker could do is said below it.",
  options: [{ name: "pid", value: "PID", help: "a running process" }, jsonOption, ...sandboxOptions.filter((option) => option.name !== "json" && option.name !== "pid")],
  stopAtOperand: true,
  operands: "command",
  examples: [
    { words: "brig explain -- ls -la", what: "what brig run -- ls -la would be kept from" },
    { words: "brig explain --write . --net user -- npm install", what: "what these words open" },
    { words: "brig explain --pid $(pidof firefox)", what: "what separates a running program from the host" },
    { words: "brig explain --pid 1234 --json", what: "the walls and everything that was read, for programs" },
  ],
  async run(words) {
    const posture = await choosePosture(words, readHostFacts());
    const walls = explainPosture(posture);
    if (words.has("json")) printJson({ posture, walls });
    else print(renderWalls(walls, { width: measureScreen(), color: wantsColour(1), notes: posture.notes }));
  },
};

async function choosePosture(words: ParsedWords, host: HostFacts): Promise<Posture> {
  const pid = words.value("pid");
  if (pid === undefined) return explainAsked(words);
  const other = words.typed.find(({ name }) => name !== "pid" && name !== "json")?.text ?? words.operands[0];
  if (other !== undefined) throw refuseUsage(`--pid is about a process that runs already: it does not go together with ${other}`);
  return explainRunning(pid, host);
}

/** What cannot be compiled cannot be run: its error is the answer. */
async function explainAsked(words: ParsedWords): Promise<Posture> {
  const { spec, plan, host } = await compileAsked(words, process.argv.slice(2));
  const posture = predictPosture(spec, { landlockAbi: host.landlockAbi, unset: plan.note.unset });
  return { ...posture, notes: [...posture.notes, ...(plan.note.leftOut ?? [])] };
}

function refuseUsage(message: string): BrigError {
  return new BrigError(message, { code: "BRIG_BAD_USAGE", hint: "brig explain --help" });
}

function explainRunning(text: string, host: HostFacts): Posture {
  if (!/^\d{1,10}$/.test(text)) throw refuseUsage(`--pid ${JSON.stringify(text)} is no process id`);
  const posture = readPosture(Number(text));
  const spec = readRecord("/proc/", Number(text), findRunFolder(host.euid));
  return spec ? completePosture(posture, spec, { landlockAbi: host.landlockAbi }) : posture;
}
