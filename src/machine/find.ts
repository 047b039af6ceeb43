import { BrigError } from "../error/brig-error.js";
import { listSandboxes } from "../sandbox/list.js";
import type { ProcessId } from "../sandbox/process.js";
import { isLive, type Sandbox } from "../sandbox/sandbox.js";
import type { Machine as MachineRecord } from "../spec/extension.js";

/** A machine that runs. */
export interface Machine {
  name: string;
  sandbox: Sandbox;
  record: MachineRecord;
  /** Its pid 1, as the host numbers it; missing while it is being started. */
  leader: ProcessId | undefined;
}

/** This user's machines, by name. */
export function listMachines(sandboxes: Sandbox[] = listSandboxes()): Machine[] {
  const machines = sandboxes.filter(isLive).flatMap((sandbox): Machine[] => {
    const { machine } = sandbox.extension;
    return machine && sandbox.name !== undefined ? [{ name: sandbox.name, sandbox, record: machine, leader: sandbox.first }] : [];
  });
  return machines.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** @throws BrigError BRIG_NO_SUCH_MACHINE */
export function findMachine(name: string, machines: Machine[] = listMachines()): Machine {
  const found = machines.find((machine) => machine.name === name);
  if (found) return found;
  throw new BrigError(`No machine '${name}' known`, { code: "BRIG_NO_SUCH_MACHINE", exitCode: 1, hint: "brig machinectl lists those that run" });
}
