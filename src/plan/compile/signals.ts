import { constants } from "node:os";
import type { Extension } from "../../spec/extension.js";
import { refuse } from "./context.js";

/** The first real-time signal that the C library leaves to programs (signal(7)). */
const SIGRTMIN = 34;

/** The number of "SIGTERM", "TERM", "SIGRTMIN+3" or "15". */
export function findSignal(extension: Extension, pointer: string, text: string): number {
  const name = text.toUpperCase();
  const signals: Record<string, number> = constants.signals;
  const realTime = /^(?:SIG)?RTMIN(?:\+(\d{1,2}))?$/.exec(name);
  const number = realTime ? SIGRTMIN + Number(realTime[1] ?? 0) : (signals[name] ?? signals[`SIG${name}`] ?? Number(name));
  if (Number.isInteger(number) && number >= 1 && number <= 64) return number;
  throw refuse(extension, pointer, "BRIG_BAD_SPEC", `there is no signal ${text}`, "see signal(7)");
}
