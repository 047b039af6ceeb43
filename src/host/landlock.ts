import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readText, readWord } from "./read-text.js";

/** What each Landlock ABI adds and the first kernel that has it (landlock(7), Documentation/userspace-api/landlock.rst). */
export const LANDLOCK_ABIS: readonly { abi: number; kernel: readonly [number, number]; adds: string }[] = [
  { abi: 1, kernel: [5, 13], adds: "files and folders: read, write, execute, make, remove" },
  { abi: 2, kernel: [5, 19], adds: "links and renames from one folder to another" },
  { abi: 3, kernel: [6, 2], adds: "truncating files" },
  { abi: 4, kernel: [6, 7], adds: "TCP ports: bind and connect" },
  { abi: 5, kernel: [6, 10], adds: "ioctl on devices" },
  { abi: 6, kernel: [6, 12], adds: "abstract unix sockets and signals stay inside" },
  { abi: 7, kernel: [6, 15], adds: "audit records of refusals" },
];

/** How sure the ABI is: asked of the kernel, or concluded from a list of active modules, its configuration, or its version alone. */
export type LandlockSource = "probe" | "lsm" | "config" | "version";

export interface LandlockFacts {
  /** 0: there is none. */
  abi: number;
  source: LandlockSource;
}

export function isAtLeast(kernel: readonly [number, number], wanted: readonly [number, number]): boolean {
  return kernel[0] > wanted[0] || (kernel[0] === wanted[0] && kernel[1] >= wanted[1]);
}

/** The ABI that a kernel of this version brings when Landlock is active. */
export function findLandlockAbi(kernel: readonly [number, number]): number {
  return LANDLOCK_ABIS.findLast((entry) => isAtLeast(kernel, entry.kernel))?.abi ?? 0;
}

/**
 * Node cannot make the system call, so the launcher that started it says the ABI in BRIG_LANDLOCK_ABI. Without that
 * it is concluded; where nothing tells whether Landlock is active it is taken to be, because then a wrong guess is an
 * error at launch and not a missing wall.
 */
export function readLandlock(root: string, kernel: readonly [number, number], env: NodeJS.ProcessEnv): LandlockFacts {
  const told = env["BRIG_LANDLOCK_ABI"];
  if (told !== undefined && /^\d{1,3}$/.test(told)) return { abi: Number(told), source: "probe" };
  const [modules, source] = readActiveModules(root);
  const active = modules === undefined || modules.split(",").includes("landlock");
  return { abi: active ? findLandlockAbi(kernel) : 0, source };
}

function readActiveModules(root: string): [modules: string | undefined, source: LandlockSource] {
  const active = readWord(join(root, "sys/kernel/security/lsm"));
  if (active !== undefined) return [active, "lsm"];
  const argument = /(?:^|\s)lsm=(\S+)/.exec(readText(join(root, "proc/cmdline")) ?? "");
  if (argument?.[1] !== undefined) return [argument[1], "config"];
  const configured = readKernelConfig(root, "CONFIG_LSM");
  if (configured !== undefined) return [configured, "config"];
  return [undefined, "version"];
}

/** A value in the kernel's build configuration, without quotes; undefined when it is not set or not to be found. */
export function readKernelConfig(root: string, name: string): string | undefined {
  const text = readConfigText(root);
  return text === undefined ? undefined : new RegExp(`^${name}="?([^"\n]*)"?$`, "m").exec(text)?.[1];
}

function readConfigText(root: string): string | undefined {
  try {
    const packed = readFileSync(join(root, "proc/config.gz"));
    return process.getBuiltinModule("node:zlib").gunzipSync(packed).toString("latin1"); // loaded only here: it takes 2 ms
  } catch {
    const release = readWord(join(root, "proc/sys/kernel/osrelease"));
    return release === undefined ? undefined : readText(join(root, `boot/config-${release}`));
  }
}
