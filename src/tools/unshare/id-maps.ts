import type { IdMapping } from "../../spec/oci.js";
import { badValue } from "../grammar/numbers.js";

/** A block of ids: `outer` on the host, `inner` in the namespace. */
export interface MapRange {
  outer: number;
  inner: number;
  count: number;
}

const ID_SPACE = 2 ** 32 - 1;

/**
 * "OUTER,INNER,COUNT" of util-linux 2.38, "INNER:OUTER:COUNT" of 2.39, or "auto".
 * @throws BrigError BRIG_BAD_VALUE
 */
export function parseMapRange(text: string): MapRange | "auto" {
  if (text === "auto") return "auto";
  const commas = /^(\d+),(\d+),(\d+)$/.exec(text);
  const colons = /^(\d+):(\d+):(\d+)$/.exec(text);
  const [outer, inner, count] = commas
    ? [Number(commas[1]), Number(commas[2]), Number(commas[3])]
    : colons
      ? [Number(colons[2]), Number(colons[1]), Number(colons[3])]
      : [];
  if (outer === undefined || inner === undefined || !count || outer + count > ID_SPACE || inner + count > ID_SPACE)
    throw badValue(`invalid mapping '${text}'`, 1, "OUTER,INNER,COUNT in numbers below 4294967295, or auto");
  return { outer, inner, count };
}

/**
 * The lines of an id map for a block of ids and, in front of it, a single id mapped on its own. Where the single id
 * falls into the block, inside or outside, the block leaves a hole for it and loses its highest id (unshare(1),
 * --map-users).
 */
export function combineMaps(range: MapRange, single: { outer: number; inner: number } | undefined): IdMapping[] {
  if (!single) return [{ containerID: range.inner, hostID: range.outer, size: range.count }];
  const innerHole = offsetIn(range.inner, range.count, single.inner);
  const outerHole = offsetIn(range.outer, range.count, single.outer);
  const count = innerHole === undefined && outerHole === undefined ? range.count : range.count - 1;
  const cuts = [...new Set([0, innerHole ?? 0, outerHole ?? 0, count])].filter((cut) => cut <= count).sort((a, b) => a - b);
  const blocks = cuts.slice(1).map((end, index) => {
    const start = cuts[index]!;
    const shift = (hole: number | undefined) => (hole !== undefined && start >= hole ? 1 : 0);
    return {
      containerID: range.inner + start + shift(innerHole),
      hostID: range.outer + start + shift(outerHole),
      size: end - start,
    };
  });
  return [{ containerID: single.inner, hostID: single.outer, size: 1 }, ...blocks];
}

function offsetIn(start: number, count: number, id: number): number | undefined {
  return id >= start && id < start + count ? id - start : undefined;
}
