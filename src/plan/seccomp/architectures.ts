import { BrigError } from "../../error/brig-error.js";
import type { Seccomp } from "../../spec/oci.js";
import type { SyscallTable } from "./tables.js";

/** A machine that brig runs on, as Node names it. */
export type HostArch = "x64" | "arm64";

/** AUDIT_ARCH_* (linux/audit.h): what the kernel puts into `seccomp_data.arch`. */
export const AUDIT_ARCH: Record<SyscallTable, number> = {
  x64: 0xc000003e,
  x86: 0x40000003,
  arm64: 0xc00000b7,
  arm: 0x40000028,
};

/**
 * On x86-64 the same `arch` also carries x32 calls, told apart by this bit of their number
 * (__X32_SYSCALL_BIT, asm/unistd.h). All x32 calls are refused.
 */
export const X32_BIT = 0x40000000;

/** The 32-bit calls that the machine's kernel also serves. */
export const COMPAT: Record<HostArch, SyscallTable> = { x64: "x86", arm64: "arm" };
const NAMES: Record<string, SyscallTable> = {
  SCMP_ARCH_X86_64: "x64",
  SCMP_ARCH_X86: "x86",
  SCMP_ARCH_AARCH64: "arm64",
  SCMP_ARCH_ARM: "arm",
};
/** Those of the OCI specification (config-linux.md#seccomp) that brig has no table for: their calls stay refused. */
const OTHERS =
  /^SCMP_ARCH_(X32|MIPS(EL)?(64(N32)?)?|PPC(64(LE)?)?|S390X?|PARISC(64)?|RISCV64|LOONGARCH64|M68K|SH|SHEB)$/;

/** The machine that this process runs on. Throws on one that has no tables. */
export function readHostArch(arch: string = process.arch): HostArch {
  if (arch === "x64" || arch === "arm64") return arch;
  throw new BrigError(`cannot compile a seccomp filter for the machine ${arch}`, {
    code: "BRIG_SECCOMP_ARCH",
    hint: "brig knows the system calls of x64 and arm64",
  });
}

/** SCMP_ARCH_*, as the OCI specification names a table. */
export function nameArchitecture(table: SyscallTable): string {
  return Object.keys(NAMES).find((name) => NAMES[name] === table)!;
}

/** Whether arguments are 64 bits wide; 32-bit calls are compared by their low half alone. */
export function isWide(table: SyscallTable): boolean {
  return table === "x64" || table === "arm64";
}

/**
 * The tables that the filter admits: the machine's own always, as libseccomp does, and its 32-bit calls when the
 * spec names them. An architecture that cannot occur on this machine changes nothing. Throws on an unknown name.
 */
export function selectTables(seccomp: Seccomp, host: HostArch): SyscallTable[] {
  const named = (seccomp.architectures ?? []).map(readArchitecture);
  return named.includes(COMPAT[host]) ? [host, COMPAT[host]] : [host];
}

function readArchitecture(name: string): SyscallTable | undefined {
  const table = Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
  if (table || OTHERS.test(name)) return table;
  throw new BrigError(`unknown seccomp architecture ${JSON.stringify(name)}`, {
    code: "BRIG_SECCOMP_ARCH",
    hint: "the OCI specification names them SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_AARCH64, SCMP_ARCH_ARM …",
  });
}
