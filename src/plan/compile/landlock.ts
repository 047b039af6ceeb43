import type { Landlock } from "../../spec/extension.js";
import type { LandlockRules } from "../operations.js";
import { addStep, type Context, leaveOut, refuse } from "./context.js";

const POINTER = "/annotations/dev.brig.landlock";

/** linux/landlock.h: each right with the ABI that brought it. */
const READ = rights([2, 1], [3, 1]);
const EXECUTE = rights([0, 1]);
const WRITE = rights([1, 1], [4, 1], [5, 1], [6, 1], [7, 1], [8, 1], [9, 1], [10, 1], [11, 1], [12, 1], [13, 2], [14, 3], [15, 5]);
const BIND_TCP = 1n;
const CONNECT_TCP = 2n;
const SCOPES = { "abstract-unix-socket": 1n, signal: 2n } as const;
const NETWORK_ABI = 4;
const SCOPE_ABI = 6;

function rights(...list: [bit: number, abi: number][]): (abi: number) => bigint {
  return (abi) => list.reduce((mask, [bit, since]) => (abi >= since ? mask | (1n << BigInt(bit)) : mask), 0n);
}

/** The extension's Landlock rules with what this kernel's ABI knows of them (landlock(7), ABI 1 to 7). */
export function compileLandlock(context: Context): void {
  const { landlock } = context.extension;
  if (!landlock) return;
  const abi = checkAbi(context, landlock);
  if (abi === 0) return;
  const rules = makeLandlockRules(landlock, abi);
  if (rules.handledFs === 0n && rules.handledNet === 0n && rules.scoped === 0n) return;
  for (const what of listMissing(landlock, abi)) leaveOut(context, what);
  addStep(context, "payload", { op: "LANDLOCK", rules }, POINTER);
}

function checkAbi(context: Context, landlock: Landlock): number {
  const abi = context.host.landlockAbi;
  const least = landlock.minimumAbi ?? 1;
  if (abi >= least) return abi;
  const what = abi === 0 ? "this kernel has no Landlock" : `this kernel has Landlock ABI ${abi}, not ${least}`;
  if (!landlock.optional)
    throw refuse(context.extension, POINTER, "BRIG_CANNOT_LANDLOCK", what, "boot a kernel with CONFIG_SECURITY_LANDLOCK and landlock in lsm=, or say --landlock none");
  leaveOut(context, `${what}: the sandbox goes without it`);
  return 0;
}

export function makeLandlockRules(landlock: Landlock, abi: number): LandlockRules {
  const { read, write, execute, bindTcp, connectTcp, scopes = [] } = landlock;
  const paths = new Map<string, bigint>();
  const allow = (list: string[] | undefined, access: bigint): bigint => {
    for (const path of list ?? []) paths.set(path, (paths.get(path) ?? 0n) | access);
    return list ? access : 0n;
  };
  const handledFs = allow(read, READ(abi)) | allow(write, WRITE(abi)) | allow(execute, EXECUTE(abi));
  const net = abi >= NETWORK_ABI;
  return {
    handledFs,
    handledNet: net ? (bindTcp ? BIND_TCP : 0n) | (connectTcp ? CONNECT_TCP : 0n) : 0n,
    scoped: abi >= SCOPE_ABI ? scopes.reduce((mask, scope) => mask | SCOPES[scope], 0n) : 0n,
    // a path that is missing allows nothing
    paths: [...paths].map(([path, access]) => ({ path, access, optional: true })),
    ports: net ? mergePorts(bindTcp ?? [], connectTcp ?? []) : [],
  };
}

function mergePorts(bind: number[], connect: number[]): LandlockRules["ports"] {
  const ports = new Map<number, bigint>();
  for (const port of bind) ports.set(port, BIND_TCP);
  for (const port of connect) ports.set(port, (ports.get(port) ?? 0n) | CONNECT_TCP);
  return [...ports].map(([port, access]) => ({ port, access }));
}

function listMissing(landlock: Landlock, abi: number): string[] {
  const missing: string[] = [];
  if (landlock.write && abi < 5) missing.push(`Landlock ABI ${abi} does not limit ${abi < 3 ? "truncation and " : ""}ioctl on devices`);
  if ((landlock.bindTcp || landlock.connectTcp) && abi < NETWORK_ABI) missing.push(`Landlock ABI ${abi} does not limit TCP ports`);
  if (landlock.scopes?.length && abi < SCOPE_ABI) missing.push(`Landlock ABI ${abi} does not keep abstract sockets and signals inside`);
  return missing;
}
