import { z } from "zod";
import { BrigError } from "../error/brig-error.js";
import { isAtLeast } from "../host/landlock.js";
import { nameArchitecture, readHostArch } from "../plan/seccomp/architectures.js";
import type { Seccomp, SeccompRule } from "../spec/oci.js";

const condition = z.strictObject({ caps: z.array(z.string()).nullish(), arches: z.array(z.string()).nullish(), minKernel: z.string().nullish() }).nullish();
const argument = z.strictObject({ index: z.int().min(0).max(5), value: z.number(), valueTwo: z.number().nullish(), op: z.string() });
const rule = z.strictObject({
  name: z.string().nullish(), names: z.array(z.string()).nullish(), action: z.string(), errnoRet: z.int().nullish(),
  args: z.array(argument).nullish(), comment: z.string().nullish(), includes: condition, excludes: condition,
});
const document = z.strictObject({
  defaultAction: z.string(), defaultErrnoRet: z.int().nullish(), architectures: z.array(z.string()).nullish(),
  archMap: z.array(z.strictObject({ architecture: z.string(), subArchitectures: z.array(z.string()).nullish() })).nullish(),
  flags: z.array(z.string()).nullish(), listenerPath: z.string().nullish(), listenerMetadata: z.string().nullish(),
  syscalls: z.array(rule).nullish(),
});

/** The names that Docker's documents use for machines, by Node's. */
const GO_ARCH = { x64: "amd64", arm64: "arm64" } as const;

/**
 * Docker's seccomp document (moby profiles/seccomp) as the OCI's: rules for other machines, kernels and capabilities
 * than these are left out.
 * @throws BrigError BRIG_BAD_SECCOMP
 */
export function convertDockerSeccomp(json: unknown, capabilities: readonly string[], kernel: readonly [number, number]): Seccomp {
  const read = document.safeParse(json);
  if (!read.success) throw refuse(read.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "));
  const { defaultAction, defaultErrnoRet, architectures, archMap, flags, syscalls } = read.data;
  const arch = nameArchitecture(readHostArch());
  const mapped = archMap?.find(({ architecture }) => architecture === arch);
  const listed = mapped ? [mapped.architecture, ...(mapped.subArchitectures ?? [])] : architectures?.length ? architectures : [arch];
  const held = new Set(capabilities);
  return {
    defaultAction,
    ...(defaultErrnoRet == null ? {} : { defaultErrnoRet }),
    architectures: listed,
    ...(flags?.length ? { flags } : {}),
    syscalls: (syscalls ?? []).filter((each) => applies(each, held, kernel)).map(convertRule),
  } as Seccomp;
}

type Rule = z.infer<typeof rule>;

function applies({ includes, excludes }: Rule, held: ReadonlySet<string>, kernel: readonly [number, number]): boolean {
  const arch = (GO_ARCH as Record<string, string>)[process.arch] ?? process.arch;
  if (excludes?.caps?.some((name) => held.has(name)) || excludes?.arches?.includes(arch)) return false;
  if (excludes?.minKernel && reaches(kernel, excludes.minKernel)) return false;
  if (includes?.caps && !includes.caps.every((name) => held.has(name))) return false;
  if (includes?.arches?.length && !includes.arches.includes(arch)) return false;
  return !includes?.minKernel || reaches(kernel, includes.minKernel);
}

function reaches(kernel: readonly [number, number], least: string): boolean {
  const [major = 0, minor = 0] = least.split(".").map(Number);
  return isAtLeast(kernel, [major, minor]);
}

function convertRule({ name, names, action, errnoRet, args }: Rule): SeccompRule {
  return {
    names: [...(names ?? []), ...(name ? [name] : [])],
    action,
    ...(errnoRet == null ? {} : { errnoRet }),
    ...(args?.length ? { args: args.map(({ valueTwo, ...rest }) => ({ ...rest, ...(valueTwo == null ? {} : { valueTwo }) })) } : {}),
  } as SeccompRule;
}

function refuse(problems: string): BrigError {
  return new BrigError(`the seccomp profile cannot be used: ${problems}`, { code: "BRIG_BAD_SECCOMP", hint: "it is a document as Docker's default.json" });
}
