import { type Extension, readExtension } from "../spec/extension.js";
import type { Spec } from "../spec/oci.js";
import { lack, type UnitDraft, type UnitFacts } from "./draft.js";
import { writeCommand } from "./write-command.js";
import { writeIdentity } from "./write-identity.js";
import { writeLimits } from "./write-limits.js";
import { writeRoot } from "./write-mounts.js";
import { writeSeccomp } from "./write-seccomp.js";
import { writeKernelWalls, writeNamespaces } from "./write-walls.js";

/**
 * Fields of the extension that are turned into directives, or that mean nothing for a service: it has no terminal and
 * no parent, and systemd reaps and names it. Any other is a wall that could go missing.
 */
const UNDERSTOOD = new Set<keyof Extension>([
  "origins", "rootTmpfs", "files", "landlock", "loopback", "init", "keyring", "terminal", "timeout", "stopSignal", "dieWithParent", "network",
  "candidates", "securebits", "name", "detach", "keep", "notes", "log", "environment", "optionalBinds", "setgroups", "nestedUsers", "exactModes",
]);

/**
 * An OCI runtime spec in systemd's directives (systemd.exec(5), 252): the lines of [Service] and what they cannot say.
 * Nothing is dropped: each wall is in one or the other.
 */
export function buildUnit(spec: Spec, facts: UnitFacts): Pick<UnitDraft, "lines" | "lacks"> {
  const draft: UnitDraft = { spec, extension: readExtension(spec), facts, lines: [], lacks: [] };
  const home = findPrivateHome(draft);
  writeCommand(draft, home);
  writeRoot(draft, home);
  writeIdentity(draft);
  writeNamespaces(draft);
  writeKernelWalls(draft);
  writeSeccomp(draft);
  writeLimits(draft);
  refuseRest(draft);
  return draft;
}

/** An empty home of the payload's own is in /tmp: ProtectHome= closes the places where homes are. */
function findPrivateHome({ spec, extension }: UnitDraft): { from: string; to: string } | undefined {
  const from = spec.process?.env?.find((variable) => variable.startsWith("HOME="))?.slice(5);
  const isOwn = extension.files?.some(({ type, path }) => type === "dir" && path === from) ?? false;
  const isUsed = spec.mounts?.some(({ destination }) => destination.startsWith(`${from}/`)) ?? false;
  return from !== undefined && isOwn && !isUsed ? { from, to: "/tmp" } : undefined;
}

function refuseRest(draft: UnitDraft): void {
  const { spec, extension } = draft;
  for (const [name, value] of Object.entries(extension))
    if (!UNDERSTOOD.has(name as keyof Extension) && value !== undefined && value !== false) lack(draft, `/annotations/dev.brig.${name}`, `dev.brig.${name}`);
  if (Object.values(spec.hooks ?? {}).some((hooks) => hooks.length > 0)) lack(draft, "/hooks", "hooks");
  const { sysctl, timeOffsets, devices, mountLabel, intelRdt } = spec.linux ?? {};
  for (const [name, value] of Object.entries({ sysctl, timeOffsets, devices, mountLabel, intelRdt }))
    if (value !== undefined && Object.keys(value).length > 0) lack(draft, `/linux/${name}`, `linux.${name}`);
}
