import type { Condition } from "./condition.js";
import { type Graph, type Node, type Test, locateArgument, skipLoad } from "./graph.js";

/** Both ways out of a compare. */
interface Exits {
  yes: Node;
  no: Node;
}

/** The nodes that compare one argument, 64 bits in two 32-bit halves, and go on at `yes` or at `no`. */
export function buildTest(graph: Graph, condition: Condition, { yes, no }: Exits): Node {
  switch (condition.op) {
    case "eq":
      return buildEqual(graph, condition, { yes, no });
    case "ne":
      return buildEqual(graph, condition, { yes: no, no: yes });
    case "gt":
    case "ge":
      return buildGreater(graph, condition, condition.op, { yes, no });
    case "le":
      return buildGreater(graph, condition, "gt", { yes: no, no: yes });
    case "lt":
      return buildGreater(graph, condition, "ge", { yes: no, no: yes });
  }
}

function buildEqual(graph: Graph, { index, value, mask }: Condition, exits: Exits): Node {
  const { low, high } = locateArgument(index);
  const lower = buildHalf(graph, low, split(mask).low, split(value).low, exits);
  return buildHalf(graph, high, split(mask).high, split(value).high, { yes: lower, no: exits.no });
}

/** (half & mask) == value. One bit needs no AND, which would spoil the accumulator for the next compare. */
function buildHalf(graph: Graph, offset: number, mask: number, value: number, exits: Exits): Node {
  if (mask === 0) return exits.yes;
  const [yes, no] = [skipLoad(offset, exits.yes), skipLoad(offset, exits.no)];
  if (mask === 0xffffffff) return graph.load(offset, graph.jump("eq", value, yes, no));
  if (value === 0) return graph.load(offset, graph.jump("set", mask, no, yes));
  if ((mask & (mask - 1)) === 0) return graph.load(offset, graph.jump("set", mask, yes, no));
  return graph.load(offset, graph.and(mask, graph.jump("eq", value, exits.yes, exits.no)));
}

function buildGreater(graph: Graph, { index, value, mask }: Condition, test: "gt" | "ge", exits: Exits): Node {
  const { low, high } = locateArgument(index);
  const halves = split(value);
  const lower = buildOrder(graph, low, test, halves.low, exits);
  if (mask <= 0xffffffffn) return lower;
  const yes = skipLoad(high, exits.yes);
  const equal = halves.high === 0 ? lower : graph.jump("eq", halves.high, lower, skipLoad(high, exits.no));
  if (equal === yes) return yes;
  return graph.load(high, graph.jump("gt", halves.high, yes, equal));
}

function buildOrder(graph: Graph, offset: number, test: Test, value: number, exits: Exits): Node {
  if (test === "ge" && value === 0) return exits.yes;
  if (test === "gt" && value === 0xffffffff) return exits.no;
  return graph.load(offset, graph.jump(test, value, skipLoad(offset, exits.yes), skipLoad(offset, exits.no)));
}

function split(word: bigint): { low: number; high: number } {
  return { low: Number(word & 0xffffffffn), high: Number(word >> 32n) };
}
