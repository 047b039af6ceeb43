import { BrigError } from "../error/brig-error.js";
import { findNearest } from "../spec/nearest.js";
import { listSandboxes } from "./list.js";
import type { Sandbox } from "./sandbox.js";

/**
 * The sandbox with this id, this name, or an id that begins so.
 * @throws BrigError BRIG_NO_SUCH_SANDBOX, BRIG_AMBIGUOUS, BRIG_UNSAFE_RUN_FOLDER
 */
export function findSandbox(reference: string, sandboxes: Sandbox[] = listSandboxes()): Sandbox {
  const exact = sandboxes.find(({ id }) => id === reference) ?? sandboxes.find(({ name }) => name === reference);
  if (exact) return exact;
  const begun = reference === "" ? [] : sandboxes.filter(({ id }) => id.startsWith(reference));
  if (begun.length === 1) return begun[0]!;
  if (begun.length > 1)
    throw new BrigError(`${JSON.stringify(reference)} could be ${begun.map(({ id }) => id).join(" or ")}`, {
      code: "BRIG_AMBIGUOUS", hint: "type more of the id",
    });
  const near = findNearest(reference, sandboxes.flatMap(({ id, name }) => (name === undefined ? [id] : [id, name])));
  throw new BrigError(`there is no sandbox ${JSON.stringify(reference)}`, {
    code: "BRIG_NO_SUCH_SANDBOX", hint: near === undefined ? "brig ps -a lists them" : `did you mean ${near}?`,
  });
}
