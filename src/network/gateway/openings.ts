/** Which addresses are open, for which name, and until when. */
export interface Openings {
  /** @param ms from now; @returns false when no more are taken */
  open(name: string, address: string, ms: number): boolean;
  /** The names for which the address is open now. */
  namesOf(address: string): string[];
  /** The addresses that are open for the name now. */
  addressesOf(name: string): string[];
}

/** What a payload can make the gateway remember, by looking up name after name. */
const LARGEST = 20_000;

export function makeOpenings(now: () => number = Date.now): Openings {
  const ends = new Map<string, Map<string, number>>(); // address, name, end
  let count = 0;

  const forget = (address: string, names: Map<string, number>): void => {
    for (const [name, end] of names) if (end <= now() && names.delete(name)) count--;
    if (names.size === 0) ends.delete(address);
  };
  const forgetAll = (): void => {
    for (const [address, names] of ends) forget(address, names);
  };
  const namesOf = (address: string): string[] => [...(ends.get(address) ?? [])].filter(([, end]) => end > now()).map(([name]) => name);
  return {
    open(name, address, ms) {
      if (count >= LARGEST) forgetAll();
      const names = ends.get(address) ?? new Map<string, number>();
      const known = names.get(name);
      if (known === undefined && count >= LARGEST) return false;
      if (known === undefined) count++;
      ends.set(address, names.set(name, Math.max(known ?? 0, now() + ms)));
      return true;
    },
    namesOf,
    addressesOf: (name) => [...ends].filter(([, names]) => (names.get(name) ?? 0) > now()).map(([address]) => address),
  };
}
