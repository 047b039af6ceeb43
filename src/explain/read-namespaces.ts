import { readlinkSync, statSync } from "node:fs";
import { NAMESPACE_KINDS, type NamespaceKind, type NamespacePosture, type Posture } from "./posture.js";

/** What a process is held against: pid 1 where the caller may look at it, else the caller. */
export interface Reference {
  name: "pid 1" | "caller";
  folder: string;
}

/** Whether pid 1 lets itself be looked at (ptrace(2), PTRACE_MODE_READ_FSCREDS) decides what the reference is. */
export function findReference(proc: string): Reference {
  const readable = readNamespace(`${proc}1`, "mnt") !== undefined;
  return readable ? { name: "pid 1", folder: `${proc}1` } : { name: "caller", folder: `${proc}self` };
}

/** The eight namespaces of a process against the reference's, by inode number (namespaces(7)). */
export function readNamespaces(folder: string, reference: Reference): Record<NamespaceKind, NamespacePosture> {
  const entries = NAMESPACE_KINDS.map((kind) => [kind, compareNamespace(folder, reference, kind)] as const);
  return Object.fromEntries(entries) as Record<NamespaceKind, NamespacePosture>;
}

function compareNamespace(folder: string, reference: Reference, kind: NamespaceKind): NamespacePosture {
  const id = readNamespace(folder, kind);
  const other = readNamespace(reference.folder, kind);
  if (id === undefined || other === undefined) return { state: "unknown", ...(id !== undefined && { id }) };
  return { state: id === other ? "shared" : "own", id };
}

function readNamespace(folder: string, kind: NamespaceKind): string | undefined {
  try {
    return readlinkSync(`${folder}/ns/${kind}`);
  } catch {
    return undefined;
  }
}

/** Whether a process has the reference's root folder, another one in the same mounts (chroot), or mounts of its own. */
export function readRoot(folder: string, reference: Reference, mnt: NamespacePosture): Posture["root"] {
  if (mnt.state === "own") return "own";
  try {
    const [root, other] = [statSync(`${folder}/root/`), statSync(`${reference.folder}/root/`)];
    return root.dev === other.dev && root.ino === other.ino ? "host" : "chroot";
  } catch {
    return "unknown";
  }
}
