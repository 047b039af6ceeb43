import { canRunSafeDefault, diagnose } from "../../host/doctor.js";
import { renderFindings } from "../../host/render-findings.js";
import { type CommandForm, jsonOption } from "../grammar.js";
import { wantsColour } from "../output/colour.js";
import { measureScreen } from "../output/screen.js";
import { print, printJson } from "../output/print.js";

export const command: CommandForm = {
  name: "doctor",
  usage: ["doctor [--json]"],
  description:
    "Looks at the kernel, its settings, cgroups, ids and programs, and says of each that is not well what it is for and which command changes it. " +
    "Exits with 0 when brig run works here with its safe default, with 1 otherwise.",
  options: [jsonOption],
  maxOperands: 0,
  examples: [
    { words: "brig doctor", what: "what this host offers and lacks" },
    { words: `brig doctor --json | jq '.findings[] | select(.state != "ok") | .fix'`, what: "only what to do" },
    { words: "sudo -u alice brig doctor", what: "the same for another user" },
  ],
  run(words) {
    const findings = diagnose();
    const works = canRunSafeDefault(findings);
    if (words.has("json")) printJson({ works, findings });
    else print(renderFindings(findings, { width: measureScreen(), color: wantsColour(1) }));
    return works ? 0 : 1;
  },
};
