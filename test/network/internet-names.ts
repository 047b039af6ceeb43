/** Addresses of the internet in these tests, from ranges that are somebody's, so that nothing is special about them. */
export const ADDRESSES = { good: "93.184.216.34", other: "93.184.216.35", six: "2606:2800::1" } as const;

/** What the resolver of the internet knows. */
export const NAMES: Record<string, { addresses: string[]; ttl?: number }> = {
  "good.test": { addresses: [ADDRESSES.good] },
  "shared.test": { addresses: [ADDRESSES.good] },
  "a.wild.test": { addresses: [ADDRESSES.good] },
  "wild.test": { addresses: [ADDRESSES.good] },
  "other.test": { addresses: [ADDRESSES.other] },
  "brief.test": { addresses: [ADDRESSES.good], ttl: 0 },
  "six.test": { addresses: [ADDRESSES.six] },
  "inner.test": { addresses: ["10.0.0.1"] },
  "loop.test": { addresses: ["127.0.0.1"] },
  "mixed.test": { addresses: ["10.0.0.1", ADDRESSES.good] },
};
