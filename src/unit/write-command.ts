import { put, lack, type UnitDraft } from "./draft.js";
import { quoteArgument, quotePath, quoteWord } from "./quote.js";

/** Those that a person's shell has and a service gets from systemd, where it runs as a user. */
const OF_A_LOGIN = new Set(["TERM", "SHELL", "USER", "LOGNAME", "COLORTERM", "NO_COLOR"]);

/** The program, its working folder and its environment. */
export function writeCommand(draft: UnitDraft, home: { from: string; to: string } | undefined): void {
  const { spec, extension, facts } = draft;
  const { args = [], cwd = "/", env = [] } = spec.process ?? {};
  const root = spec.root?.path ?? "";
  const candidates = extension.candidates ?? (args[0] === undefined ? [] : [args[0]]);
  const program = candidates.find((path) => facts.exists(`${root}${path}`)) ?? candidates[0] ?? "/bin/false";
  const first = args[0] === undefined || args[0] === program || program.endsWith(`/${args[0]}`) ? [] : [args[0]];
  put(draft, "ExecStart", `${first.length > 0 ? "@" : ""}${[program, ...first, ...args.slice(1)].map(quoteArgument).join(" ")}`);
  put(draft, "WorkingDirectory", quotePath(home && cwd === home.from ? home.to : cwd));
  const asked = extension.origins?.["/process/env"]?.kind !== "default";
  for (const variable of env) {
    const name = variable.split("=", 1)[0]!;
    if (!asked && OF_A_LOGIN.has(name)) continue;
    put(draft, "Environment", quoteWord(home && variable === `HOME=${home.from}` ? `HOME=${home.to}` : variable));
  }
  if (extension.environment !== undefined) lack(draft, "/process/env", "an environment that is put together at each start");
}
