/**
 * A filter as a graph of decisions, before it has an order. Equal nodes are one object, so that leaves and whole
 * branches are shared, and two numbers are treated alike exactly when their nodes are the same.
 */
export type Node =
  | { type: "return"; id: number; k: number }
  /** Puts a 32-bit word of struct seccomp_data into the accumulator. */
  | { type: "load"; id: number; offset: number; next: Node }
  | { type: "and"; id: number; k: number; next: Node }
  | { type: "jump"; id: number; test: Test; k: number; yes: Node; no: Node };

/** Compares of the accumulator with k, unsigned; "set": any bit in common. */
export type Test = "eq" | "gt" | "ge" | "set";

/** Offsets in struct seccomp_data (linux/seccomp.h). */
export const OFFSET_NR = 0;
export const OFFSET_ARCH = 4;
const OFFSET_ARGS = 16;

/** Where the low and the high half of an argument stand on a little-endian machine. */
export function locateArgument(index: number): { low: number; high: number } {
  return { low: OFFSET_ARGS + 8 * index, high: OFFSET_ARGS + 8 * index + 4 };
}

export class Graph {
  readonly #nodes = new Map<string, Node>();
  readonly #leaves = new Map<number, Node>();

  /** How many different nodes were made, needed or not: a bound on the program's size for callers that build much. */
  get size(): number {
    return this.#nodes.size + this.#leaves.size;
  }

  return(k: number): Node {
    let leaf = this.#leaves.get(k);
    if (!leaf) this.#leaves.set(k, (leaf = { type: "return", id: this.size, k }));
    return leaf;
  }

  load(offset: number, next: Node): Node {
    return this.#intern(`l${offset},${next.id}`, (id) => ({ type: "load", id, offset, next }));
  }

  and(k: number, next: Node): Node {
    return this.#intern(`a${k},${next.id}`, (id) => ({ type: "and", id, k, next }));
  }

  jump(test: Test, k: number, yes: Node, no: Node): Node {
    if (yes === no) return yes;
    return this.#intern(`${test}${k},${yes.id},${no.id}`, (id) => ({ type: "jump", id, test, k, yes, no }));
  }

  #intern(key: string, make: (id: number) => Node): Node {
    let node = this.#nodes.get(key);
    if (!node) this.#nodes.set(key, (node = make(this.size)));
    return node;
  }
}

/** Past a load of what the accumulator holds already. */
export function skipLoad(held: number, node: Node): Node {
  return node.type === "load" && node.offset === held ? node.next : node;
}
