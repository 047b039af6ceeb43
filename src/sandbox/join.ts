import { readlinkSync } from "node:fs";
import { BrigError } from "../error/brig-error.js";
import { CLONE } from "../plan/format.js";
import type { StepOf } from "../plan/operations.js";
import type { NamespaceType } from "../spec/oci.js";
import { findPayload } from "./members.js";
import { NAMESPACE_FD, NAMESPACE_FILES, type NamespaceFile } from "./namespace-files.js";
import { type ProcessId, readNamespace } from "./process.js";
import type { Sandbox } from "./sandbox.js";

const TYPES: Record<NamespaceFile, NamespaceType> = { user: "user", mnt: "mount", pid: "pid", net: "network", ipc: "ipc", uts: "uts", cgroup: "cgroup", time: "time" };

/** The mount namespace late: it brings the root, and the user namespace first: it brings the rights to join the others. */
const ORDER: NamespaceFile[] = ["user", "cgroup", "ipc", "uts", "net", "pid", "time", "mnt"];

/** How a running sandbox is joined. */
export interface Joining {
  step: StepOf<"JOIN">;
  joined: ReadonlySet<NamespaceType>;
  /** Of the process whose namespaces they are; unreadable for who joins by the supervisor. */
  target: ProcessId;
}

/**
 * The step that joins the namespaces that a sandbox does not share with the caller. Root joins those of the first
 * process; that one hides from its owner, who joins what the supervisor holds open for him, or the payload's.
 * @throws BrigError BRIG_CANNOT_JOIN
 */
export function planJoin(sandbox: Sandbox): Joining {
  const { id, first, supervisor } = sandbox;
  const byProcess = [first, findPayload(sandbox)].find((each) => each && readNamespace(each.pid, "user") !== undefined);
  if (first && byProcess === first) return joinProcess(first);
  const held = supervisor && joinHeld(supervisor);
  if (held) return held;
  if (byProcess) return joinProcess(byProcess);
  throw new BrigError(`the namespaces of sandbox ${id} cannot be joined`, {
    code: "BRIG_CANNOT_JOIN", hint: first ? "only root and who started it can" : "it has not started yet",
  });
}

function joinProcess(target: ProcessId): Joining {
  const others = NAMESPACE_FILES.filter((name) => {
    const theirs = readNamespace(target.pid, name);
    return theirs !== undefined && theirs !== readNamespace("self", name);
  });
  const flags = others.reduce((sum, name) => sum + CLONE[TYPES[name]], 0);
  return { target, joined: typesOf(others), step: { op: "JOIN", ...target, flags, files: [] } };
}

/** None where the supervisor holds none: a sandbox without init, or one that nobody was expected to join. */
function joinHeld(supervisor: ProcessId): Joining | undefined {
  const held = ORDER.flatMap((name) => {
    const file = `fd/${NAMESPACE_FD + NAMESPACE_FILES.indexOf(name)}`;
    const link = readLink(`/proc/${supervisor.pid}/${file}`);
    return link?.startsWith(`${name}:[`) && link !== readNamespace("self", name) ? [{ name, file }] : [];
  });
  if (held.length === 0) return undefined;
  const files = held.map(({ file }) => file);
  return { target: supervisor, joined: typesOf(held.map(({ name }) => name)), step: { op: "JOIN", ...supervisor, flags: 0, files } };
}

function typesOf(names: readonly NamespaceFile[]): Set<NamespaceType> {
  return new Set(names.map((name) => TYPES[name]));
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
