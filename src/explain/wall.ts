/** One thing that can stand between a process and its host. */
export interface Wall {
  /** "processes", "network", "files that can be written", … */
  wall: string;
  /** "narrow": something passes. "unknown": it cannot be seen from where brig looks. */
  state: "closed" | "narrow" | "open" | "unknown";
  /** What was found. */
  what: string;
  /** What follows for the host; of an open wall, what an attacker inside could do. */
  means: string;
  /** How brig run closes it, or what else to do. */
  word?: string;
}

/** A wall that is not closed names the word that closes it; a closed one needs none. */
export function makeWall(wall: string, state: Wall["state"], what: string, means: string, word?: string): Wall {
  return { wall, state, what, means, ...(word !== undefined && state !== "closed" && { word }) };
}
