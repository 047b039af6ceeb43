import { readFileSync } from "node:fs";
import type { Machine } from "./machines.js";

/** What /proc/cpuinfo calls the features of each level of the x86-64 psABI, those of lower levels left out. */
const LEVELS: [string, string[]][] = [
  ["x86-64-v2", ["cx16", "lahf_lm", "popcnt", "sse4_1", "sse4_2", "ssse3"]],
  ["x86-64-v3", ["abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "xsave"]],
  ["x86-64-v4", ["avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl"]],
];

/** The glibc-hwcaps folders that this processor may use, best first. Other machines than x86 use the plain folder. */
export function listHwcaps(machine: Machine | undefined, cpuinfo = readCpuinfo()): string[] {
  if (machine?.name !== "x86_64") return [];
  const flags = new Set(/^flags\s*:(.*)$/m.exec(cpuinfo)?.[1]?.trim().split(/\s+/));
  const supported: string[] = [];
  for (const [level, wanted] of LEVELS) {
    if (!wanted.every((flag) => flags.has(flag))) break;
    supported.unshift(level);
  }
  return supported;
}

function readCpuinfo(): string {
  try {
    return readFileSync("/proc/cpuinfo", "utf8");
  } catch {
    return "";
  }
}
