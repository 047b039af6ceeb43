import { BrigError } from "../../error/brig-error.js";
import { readHostFacts } from "../../host/facts.js";
import { handOverPlan } from "../../launch/hand-over.js";
import { findMachine, listMachines } from "../../machine/find.js";
import { findImage } from "../../machine/images/image.js";
import { openJournal, showJournal } from "../../machine/journal.js";
import { encodePlan } from "../../plan/encode.js";
import { planCommand } from "../../sandbox/exec.js";
import { parseJournalctl } from "../../tools/machinectl/journalctl.js";
import type { CommandForm } from "../grammar.js";
import { openMachineJournal } from "../machine-journal.js";
import { print } from "../output/print.js";
import { showConsoleLog } from "../show-console-log.js";
import { runAsTool } from "../soft-tool.js";

const HELP = `brig journalctl -M MACHINE [OPTIONS...] [MATCHES...]

What a machine has logged: its own journal, running or not, or its console
where it keeps none. All options of journalctl(1) are understood but for those
that say where from; the files are the machine's, and are read in a sandbox
that sees nothing else.

  -M --machine=MACHINE        The machine
  -f --follow                 Go on
  -n --lines[=INTEGER]        How many of the last lines
  -u --unit=UNIT              Of a unit
  -S --since=DATE  -U --until=DATE  -b --boot[=ID]  -p --priority=RANGE
  -g --grep=PATTERN  -o --output=STRING  -r --reverse  …  as journalctl --help
`;

export const command: CommandForm = {
  name: "journalctl",
  usage: ["journalctl -M MACHINE [OPTIONS…] [MATCHES…]"],
  options: [],
  ownGrammar: true,
  examples: [
    { words: "brig journalctl -M my_deb -n 20", what: "the last lines" },
    { words: "brig journalctl -M my_deb -f -u ssh.service", what: "what a unit says, as it comes" },
  ],
  run: ({ operands }) =>
    runAsTool("journalctl", "", operands, async () => {
      const asked = parseJournalctl(operands);
      return asked === "help" ? (print(HELP), 0) : await showLog(asked);
    }),
};

async function showLog({ machine: name, words, console }: Exclude<ReturnType<typeof parseJournalctl>, "help">): Promise<number> {
  const running = listMachines().find((machine) => machine.name === name);
  const journal = running ? openMachineJournal(running) : openJournal({ folder: findFolder(name) });
  const host = readHostFacts();
  if (journal && host.hasTool("journalctl")) return await showJournal(journal, words, host);
  if (journal && running) return await handOverPlan(encodePlan(planCommand(running.sandbox, { command: ["journalctl", "--no-pager", ...words] }, host)));
  if (!running) throw new BrigError(`machine ${name} has left no journal`, { code: "BRIG_NO_LOG", exitCode: 1, hint: "its journald keeps one in memory alone, or it has never run" });
  return await showConsole(name, console);
}

async function showConsole(name: string, wish: { follow: boolean; tail: number | undefined }): Promise<number> {
  try {
    await showConsoleLog(findMachine(name).sandbox, wish);
    return 0;
  } catch (error) {
    if (!(error instanceof BrigError && error.code === "BRIG_NO_LOG")) throw error;
    throw new BrigError(`machine ${name} keeps no journal, and its console is somebody's terminal`, { code: "BRIG_NO_LOG", exitCode: 1, hint: "one that was started by brig machinectl start has a log of its console" });
  }
}

/** Of a machine that does not run. @throws BrigError BRIG_NO_SUCH_MACHINE */
function findFolder(name: string): string {
  try {
    const { type, path } = findImage(name);
    if (type !== "raw") return path;
  } catch {
    throw new BrigError(`No machine '${name}' known`, { code: "BRIG_NO_SUCH_MACHINE", exitCode: 1, hint: "brig machinectl lists those that run, brig machinectl list-images the others" });
  }
  throw new BrigError(`the journal of ${name} is in a disk image`, { code: "BRIG_NOT_SUPPORTED", exitCode: 1, hint: "start it, and ask again" });
}
