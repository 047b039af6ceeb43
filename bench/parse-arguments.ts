export interface BenchArguments {
  rounds: number;
  runs: number;
  word?: string;
  json?: string;
  svg?: string;
}

export const usage = `usage: npm run bench -- [--rounds N] [--runs N] [--json FILE] [--svg FILE] [WORD]

Prints how long sandboxes take to start, as ratios: against the kernel's own work
and against other tools, interleaved in one run. WORD chooses rows that contain it.
The exit status is 1 when a bar of the design is missed.

  --rounds N   turns that each one takes (default 40)
  --runs N     timed runs a turn (default 5)
  --json FILE  write the result as JSON
  --svg FILE   draw the rows that have a bar`;

/** @throws Error with words for the user */
export function parseArguments(words: readonly string[]): BenchArguments {
  const found: BenchArguments = { rounds: 40, runs: 5 };
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--rounds" || word === "--runs") found[word === "--rounds" ? "rounds" : "runs"] = parseCount(word, rest.shift());
    else if (word === "--json" || word === "--svg") found[word === "--json" ? "json" : "svg"] = needValue(word, rest.shift());
    else if (word.startsWith("-")) throw new Error(`unknown option ${word}`);
    else if (found.word !== undefined) throw new Error(`one word, not ${found.word} and ${word}`);
    else found.word = word;
  }
  return found;
}

function needValue(option: string, value: string | undefined): string {
  if (value === undefined || value === "") throw new Error(`${option} needs a value`);
  return value;
}

function parseCount(option: string, value: string | undefined): number {
  const count = Number(needValue(option, value));
  if (!Number.isInteger(count) || count < 1 || count > 1000) throw new Error(`${option}: a whole number from 1 to 1000, not ${value}`);
  return count;
}
