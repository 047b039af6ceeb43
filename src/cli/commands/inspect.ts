import { findSandbox } from "../../sandbox/find.js";
import { listSandboxes } from "../../sandbox/list.js";
import { type CommandForm, jsonOption } from "../grammar.js";
import { printJson } from "../output/print.js";
import { reportError } from "../report-error.js";
import { describeSandbox } from "../show-sandbox.js";

export const command: CommandForm = {
  name: "inspect",
  usage: ["inspect SANDBOX…"],
  description: "Prints all that is known of each sandbox as JSON: its state, its processes, its cgroups, how it ended, and the OCI spec it was made from.",
  options: [jsonOption],
  minOperands: 1,
  operands: "sandbox",
  examples: [{ words: "brig inspect build | jq '.[0].spec.mounts'", what: "what it sees" }],
  run(words) {
    const sandboxes = listSandboxes();
    let status = 0;
    const found = words.operands.flatMap((reference) => {
      try {
        const sandbox = findSandbox(reference, sandboxes);
        return [{ ...describeSandbox(sandbox), spec: sandbox.record?.spec ?? null }];
      } catch (error) {
        reportError(error, words.has("json"));
        status = 1;
        return [];
      }
    });
    printJson(found);
    return status;
  },
};
