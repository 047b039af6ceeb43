import * as z from "zod";
import { absolutePath, oneOf, text } from "./schema-parts.js";

export const SECCOMP_ARCHITECTURES: readonly string[] = [
  "X86",
  "X86_64",
  "X32",
  "ARM",
  "AARCH64",
  "LOONGARCH64",
  "M68K",
  "MIPS",
  "MIPS64",
  "MIPS64N32",
  "MIPSEL",
  "MIPSEL64",
  "MIPSEL64N32",
  "PARISC",
  "PARISC64",
  "PPC",
  "PPC64",
  "PPC64LE",
  "RISCV64",
  "S390",
  "S390X",
  "SH",
  "SHEB",
].map((name) => `SCMP_ARCH_${name}`);

const FLAGS = ["TSYNC", "LOG", "SPEC_ALLOW", "WAIT_KILLABLE_RECV"].map((name) => `SECCOMP_FILTER_FLAG_${name}`);

const action = z.enum([
  "SCMP_ACT_KILL",
  "SCMP_ACT_KILL_PROCESS",
  "SCMP_ACT_KILL_THREAD",
  "SCMP_ACT_TRAP",
  "SCMP_ACT_ERRNO",
  "SCMP_ACT_TRACE",
  "SCMP_ACT_ALLOW",
  "SCMP_ACT_LOG",
  "SCMP_ACT_NOTIFY",
]);
const operator = z.enum(["SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ"]);

/** A number beyond 2^53 was rounded when it was read, and a rounded mask is another rule: only a bigint is exact there. */
const argumentValue = z
  .union([z.number(), z.bigint()], { error: "must be a whole number from 0 to 2^64 - 1" })
  .refine((value) => (typeof value === "bigint" ? value >= 0n && value < 1n << 64n : Number.isSafeInteger(value) && value >= 0), {
    error: "must be a whole number from 0 to 2^64 - 1, as a bigint from 2^53 up",
  });

/** seccomp(2) keeps 12 bits of it for ERRNO and 16 for TRACE. */
const errno = z.int().min(0).max(0xffff);

const rule = z.object({
  names: z.array(z.string().regex(/^[a-z_][a-z0-9_]*$/i, "must be a system call's name")).min(1),
  action,
  errnoRet: errno.exactOptional(),
  args: z.array(z.object({ index: z.int().min(0).max(5), value: argumentValue, valueTwo: argumentValue.exactOptional(), op: operator })).exactOptional(),
});

/** OCI's `linux.seccomp` (config-linux.md, Seccomp). */
export const seccompSchema = z.object({
  defaultAction: action,
  defaultErrnoRet: errno.exactOptional(),
  architectures: z.array(oneOf(SECCOMP_ARCHITECTURES)).exactOptional(),
  flags: z.array(oneOf(FLAGS)).exactOptional(),
  listenerPath: absolutePath.exactOptional(),
  listenerMetadata: text.exactOptional(),
  syscalls: z.array(rule).exactOptional(),
});
