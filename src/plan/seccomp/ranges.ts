import type { Graph, Node } from "./graph.js";

/** Numbers from `start` up to the next segment's, treated alike. */
export interface Segment {
  start: number;
  node: Node;
}

/**
 * Lays single numbers over a background, and joins neighbours that are treated alike.
 * @param background segments that cover all numbers: sorted, the first at 0
 */
export function joinRanges(background: Segment[], numbers: ReadonlyMap<number, Node>): Segment[] {
  const starts = new Set(background.map((segment) => segment.start));
  for (const number of numbers.keys()) starts.add(number).add(number + 1);
  const segments: Segment[] = [];
  let layer = 0;
  for (const start of [...starts].sort((a, b) => a - b)) {
    while (background[layer + 1] && background[layer + 1]!.start <= start) layer++;
    const node = numbers.get(start) ?? background[layer]!.node;
    if (segments.at(-1)?.node !== node) segments.push({ start, node });
  }
  return segments;
}

/**
 * Binary search over the segments: depth log2 of their count. A single number between two equal neighbours takes one
 * compare for equality where two for order would be needed.
 */
export function buildRangeTree(graph: Graph, segments: Segment[], first = 0, end = segments.length): Node {
  const low = segments[first]!;
  if (end - first === 1) return low.node;
  const middle = segments[first + 1]!;
  if (end - first === 3 && isSingle(middle, segments[first + 2]!) && segments[first + 2]!.node === low.node)
    return graph.jump("eq", middle.start, middle.node, low.node);
  const split = (first + end) >> 1;
  const upper = buildRangeTree(graph, segments, split, end);
  return graph.jump("ge", segments[split]!.start, upper, buildRangeTree(graph, segments, first, split));
}

function isSingle(segment: Segment, next: Segment): boolean {
  return next.start === segment.start + 1;
}
