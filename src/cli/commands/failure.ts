import { readFileSync } from "node:fs";
import { describeFailure } from "../../launch/describe-failure.js";
import { decodePlan } from "../../plan/decode.js";
import type { CommandForm } from "../grammar.js";
import { printError } from "../output/print.js";
import { reportError } from "../report-error.js";

/** struct record_failed of launcher/plan.h: four 32-bit words and two texts. */
const RECORD = { size: 304, operation: 16, argument: 48 };

/** What the launcher calls when a step failed: it prints why, and the launcher exits. */
export const command: CommandForm = {
  name: "__failure",
  usage: ["__failure"],
  options: [],
  maxOperands: 0,
  run() {
    const bytes = readFileSync(Number(process.env["BRIG_FAILURE_FD"]));
    const plan = decodePlan(bytes.subarray(RECORD.size));
    const words = plan.note.words ?? [];
    const options = words.slice(0, words.includes("--") ? words.indexOf("--") : undefined);
    const failure = describeFailure(plan.note, readRecord(bytes));
    // Another tool's message stands as it is.
    if (plan.note.voice) printError(failure.message);
    else reportError(failure, options.includes("--json"));
  },
};

function readRecord(bytes: Buffer) {
  return {
    step: bytes.readUInt32LE(0),
    op: bytes.readUInt32LE(4),
    errno: bytes.readInt32LE(8),
    operation: readText(bytes.subarray(RECORD.operation, RECORD.argument)),
    argument: readText(bytes.subarray(RECORD.argument, RECORD.size)),
  };
}

function readText(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.subarray(0, end < 0 ? undefined : end).toString();
}
