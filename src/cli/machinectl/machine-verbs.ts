import { BrigError } from "../../error/brig-error.js";
import { askMachine } from "../../machine/ask.js";
import { findMachine, listMachines, type Machine } from "../../machine/find.js";
import { findPool } from "../../machine/images/pool.js";
import { showJournal } from "../../machine/journal.js";
import { readMachineTree } from "../../machine/process-tree.js";
import { killSandbox } from "../../sandbox/kill.js";
import { machinectlError } from "../../tools/machinectl/errors.js";
import type { MachinectlOptions } from "../../tools/machinectl/options.js";
import { listPoolProperties, renderProperties } from "../../tools/machinectl/show-images.js";
import { listMachineProperties, renderMachineList, renderMachineStatus, renderProcessTree, type ShownMachine } from "../../tools/machinectl/show-machines.js";
import { print } from "../output/print.js";
import { measureScreen } from "../output/screen.js";
import { openMachineJournal } from "../machine-journal.js";
import { showConsoleLog } from "../show-console-log.js";
import { blame } from "./blame.js";
import { describeHost, describeMachine, HOST } from "./describe-machine.js";
import type { AskedVerb } from "./words.js";

const SIGTERM = 15;
const SIGKILL = 9;

export async function runMachineVerb({ verb, operands, options }: AskedVerb): Promise<number> {
  switch (verb) {
    case "list": print(renderMachineList(listShown(options.all), options)); break;
    case "show": await show(operands, options); break;
    case "status": await showStatuses(operands, options); break;
    case "poweroff": case "stop": await ask(operands, "poweroff"); break;
    case "reboot": await ask(operands, "reboot"); break;
    case "terminate": for (const name of operands) await blame("Could not terminate machine", () => killSandbox(find(name).sandbox, SIGKILL)); break;
    case "kill": await kill(operands, options); break;
  }
  return 0;
}

/** @throws BrigError BRIG_NO_SUCH_MACHINE in machined's words */
export function find(name: string): Machine {
  if (name === HOST) throw machinectlError("Operation not supported", "BRIG_NOT_SUPPORTED", `${HOST} is this host`);
  return findMachine(name);
}

function listShown(all: boolean): ShownMachine[] {
  const machines = listMachines().filter(({ name }) => all || !name.startsWith(".")).map(describeMachine);
  return all ? [describeHost(), ...machines] : machines;
}

async function show(names: readonly string[], options: MachinectlOptions): Promise<void> {
  if (names.length === 0) return print(renderProperties(listPoolProperties(findPool()), options));
  const texts: string[] = [];
  for (const name of names) texts.push(renderProperties(listMachineProperties(await describe(name)), options));
  print(texts.join("\n"));
}

async function describe(name: string): Promise<ShownMachine> {
  return name === HOST ? describeHost() : describeMachine(await blame("Could not get path to machine", () => findMachine(name)));
}

async function showStatuses(names: readonly string[], options: MachinectlOptions): Promise<void> {
  for (const [index, name] of names.entries()) {
    const shown = await describe(name);
    if (index > 0) print("\n");
    print(renderMachineStatus(shown));
    if (name === HOST) continue;
    const machine = findMachine(name);
    print(renderProcessTree(readMachineTree(machine), options.full ? Infinity : measureScreen()));
    if (options.lines > 0) await showLastLines(machine, options);
  }
}

/** Of its journal; of its console where it keeps none. */
async function showLastLines(machine: Machine, { lines, output, full }: MachinectlOptions): Promise<void> {
  print("\n");
  const journal = openMachineJournal(machine);
  if (journal) await showJournal(journal, ["--quiet", `--lines=${lines}`, `--output=${output}`, ...(full ? [] : ["--no-full"])]);
  else await showConsole(machine, lines);
}

/** One that somebody sits in front of has no log. */
async function showConsole({ sandbox }: Machine, tail: number): Promise<void> {
  try {
    await showConsoleLog(sandbox, { follow: false, tail });
  } catch (error) {
    if (!(error instanceof BrigError && error.code === "BRIG_NO_LOG")) throw error;
  }
}

async function ask(names: readonly string[], what: "poweroff" | "reboot"): Promise<void> {
  for (const name of names) await blame("Could not kill machine", () => askMachine(find(name), what));
}

async function kill(names: readonly string[], { killWhom = "all", signal = SIGTERM }: MachinectlOptions): Promise<void> {
  for (const name of names)
    await blame("Could not kill machine", () => {
      const { sandbox } = find(name);
      if (killWhom !== "leader" && killWhom !== "all") throw machinectlError(`Invalid kill parameter '${killWhom}'`, "BRIG_BAD_VALUE", "leader or all");
      killSandbox(sandbox, signal, killWhom === "all");
    });
}
