import { spawnSync } from "node:child_process";
import { canRunSafeDefault, diagnose, type Finding } from "../../host/doctor.js";
import { renderFindings } from "../../host/render-findings.js";
import { findLauncher } from "../../launch/find-launcher.js";
import { type CommandForm, jsonOption } from "../grammar.js";
import { wantsColour } from "../output/colour.js";
import { print, printJson } from "../output/print.js";
import { measureScreen } from "../output/screen.js";

const TRIAL_MS = 20_000;

export const command: CommandForm = {
  name: "doctor",
  usage: ["doctor [--json]"],
  description:
    "Looks at the kernel, its settings, cgroups, ids and programs, tries brig run, and says of each that is not well what it is for and which command changes it. " +
    "Exits with 0 when brig run works here with its safe default, with 1 otherwise.",
  options: [jsonOption],
  maxOperands: 0,
  examples: [
    { words: "brig doctor", what: "what this host offers and lacks" },
    { words: `brig doctor --json | jq '.findings[] | select(.state != "ok") | .fix'`, what: "only what to do" },
    { words: "sudo -u alice brig doctor", what: "the same for another user" },
  ],
  run(words) {
    const launcher = findLauncher();
    const findings = [...diagnose({ launcher }), tryDefault(launcher)];
    const works = canRunSafeDefault(findings);
    if (words.has("json")) printJson({ works, findings });
    else print(renderFindings(findings, { width: measureScreen(), color: wantsColour(1) }));
    return works ? 0 : 1;
  },
};

/** What files do not tell, such as a container's seccomp filter around brig itself, shows when it is tried. */
function tryDefault(launcher: string): Finding {
  const base = { topic: "brig run -- true", required: true, means: "a sandbox with the safe default was made and ended" } as const;
  const { BRIG_ENTRY_FD: _, ...env } = process.env;
  const ran = spawnSync(launcher, ["run", "--project", "none", "--", "true"], { encoding: "utf8", env, timeout: TRIAL_MS, stdio: ["ignore", "ignore", "pipe"] });
  if (ran.status === 0) return { ...base, state: "ok", what: "works" };
  const [first = "", ...rest] = ran.stderr.trim().split("\n");
  const hint = rest.find((line) => line.includes("hint: "))?.replace(/^.*?hint: /, "");
  const ended = ran.status === null ? `it was ended by ${ran.signal ?? "an error"}` : `it ended with ${ran.status}`;
  return { ...base, state: "missing", what: first.replace(/^brig: /, "") || ended, fix: hint ?? "brig run -- true says more" };
}
