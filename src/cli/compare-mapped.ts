import { readHostFacts } from "../host/facts.js";
import { compareTrees, type CompareOptions, type TreeComparison } from "../rootfs/diff/compare-trees.js";
import type { Trees } from "../rootfs/diff/find-trees.js";
import { runEnclosed } from "../rootfs/enclosed/run-enclosed.js";

/**
 * Compares two trees. Where an ordinary user's own tree has folders of the subordinate ids that he may not look into,
 * `brig diff` is run once more as root of a user namespace that maps them (subuid(5)).
 */
export async function compareMapped({ before, after }: Trees, options: CompareOptions): Promise<TreeComparison> {
  const comparison = compareTrees(before, after, options);
  const { euid, subuid, subgid } = readHostFacts();
  if (comparison.unread.length === 0 || euid === 0 || subuid.length === 0 || subgid.length === 0) return comparison;
  const lines: string[] = [];
  const words = ["diff", "--json", ...(options.content === true ? ["--content"] : []), "--", before, after];
  const end = await runEnclosed({ args: [process.execPath, process.argv[1]!, ...words], env: ["PATH=/usr/bin:/bin"], cwd: "/" }, (line) => lines.push(line));
  if (end.status !== 0) return comparison;
  const text = lines.join("\n");
  return JSON.parse(text.slice(0, text.lastIndexOf("\n}") + 2)) as TreeComparison;
}
