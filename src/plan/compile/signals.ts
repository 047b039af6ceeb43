import { constants } from "node:os";
import type { Extension } from "../../spec/extension.js";
import { refuse } from "./context.js";

/** The number of "SIGTERM", "TERM" or "15". */
export function findSignal(extension: Extension, pointer: string, text: string): number {
  const name = text.toUpperCase();
  const signals: Record<string, number> = constants.signals;
  const number = signals[name] ?? signals[`SIG${name}`] ?? Number(name);
  if (Number.isInteger(number) && number >= 1 && number <= 64) return number;
  throw refuse(extension, pointer, "BRIG_BAD_SPEC", `there is no signal ${text}`, "see signal(7)");
}
