import type { Problem } from "./describe-issues.js";
import type { IdMapping } from "./oci.js";

/** user_namespaces(7): ranges do not overlap on either side, end at 2^32 - 2, and are at most 340 (Linux 4.15). */
export function checkMappings(name: string, mappings: readonly IdMapping[]): Problem[] {
  const problems: Problem[] = mappings.length > 340 ? [{ path: [name], text: `has ${mappings.length} ranges; the kernel takes 340` }] : [];
  for (const side of ["containerID", "hostID"] as const) {
    const sorted = mappings.map((mapping, index) => ({ first: mapping[side], last: mapping[side] + mapping.size - 1, index })).sort((a, b) => a.first - b.first);
    for (const [place, range] of sorted.entries()) {
      const before = sorted[place - 1];
      if (range.last > 2 ** 32 - 2) problems.push({ path: [name, range.index], text: `goes beyond the last id, ${2 ** 32 - 2}` });
      if (before && range.first <= before.last) problems.push({ path: [name, range.index, side], text: `${range.first} is in the range of ${name}[${before.index}] as well` });
    }
  }
  return problems;
}
