import { statSync } from "node:fs";
import { rootOf } from "../machine/enter.js";
import type { Machine } from "../machine/find.js";
import { type Journal, openJournal } from "../machine/journal.js";

/** The journal of a machine that runs. */
export function openMachineJournal(machine: Machine): Journal | undefined {
  const { root } = machine.record;
  const folder = statSync(root, { throwIfNoEntry: false })?.isDirectory() ? root : undefined;
  return openJournal({ folder, live: machine.leader && rootOf(machine) });
}
