import type { Contestant, ContestantName } from "./contestants.js";
import { Driver } from "./driver.js";

export interface RaceOptions {
  rounds: number;
  /** Timed runs a round for each contestant. */
  runs: number;
  env: NodeJS.ProcessEnv;
  onRound?: (round: number) => void;
}

const HEAVY_EVERY = 8;

export type Times = Map<ContestantName, number[][]>;

/**
 * Lets contestants take turns: A B C, A B C, … so that whatever else the machine does falls on all of them. Before
 * the first round each has one that does not count.
 */
export async function race(contestants: ReadonlyMap<ContestantName, Contestant>, options: RaceOptions): Promise<Times> {
  const drivers = [...contestants].flatMap(([name, { words, heavy = false }]) => (Array.isArray(words) ? [{ name, heavy, driver: new Driver(words, options.env) }] : []));
  const times: Times = new Map(drivers.map(({ name }) => [name, []]));
  try {
    for (const { driver, heavy } of drivers) await driver.measure(heavy ? 1 : options.runs);
    for (let round = 1; round <= options.rounds; round++) {
      const due = drivers.filter(({ heavy }) => !heavy || round % HEAVY_EVERY === 1);
      for (const { name, driver, heavy } of due) times.get(name)?.push(await driver.measure(heavy ? 1 : options.runs));
      options.onRound?.(round);
    }
    return times;
  } finally {
    await Promise.all(drivers.map(({ driver }) => driver.close()));
  }
}
