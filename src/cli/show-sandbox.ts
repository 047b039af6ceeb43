import type { ExitRecord } from "../sandbox/record.js";
import { listOwnCgroups, type Sandbox } from "../sandbox/sandbox.js";

/** A sandbox as `ps --json` and `inspect` print it. */
export interface SandboxReport {
  id: string;
  name: string | null;
  status: string;
  command: string[];
  /** ISO 8601. */
  created: string;
  pid: number | null;
  supervisor: number | null;
  labels: Record<string, string>;
  cgroups: string[];
  folder: string;
  keep: boolean;
  exit: ExitRecord | null;
}

export function describeSandbox(sandbox: Sandbox): SandboxReport {
  const { id, name, state, record, createdMs, first, supervisor, folder, exit } = sandbox;
  const ended = state === "exited" || state === "dead";
  return {
    id, name: name ?? null, status: state, command: record?.spec.process?.args ?? [], created: new Date(createdMs).toISOString(),
    pid: ended ? null : (first?.pid ?? null), supervisor: ended ? null : (supervisor?.pid ?? null),
    labels: listLabels(sandbox), cgroups: listOwnCgroups(sandbox), folder, keep: record?.keep ?? false, exit: exit ?? null,
  };
}

/** Annotations that are not brig's own. */
function listLabels({ record }: Sandbox): Record<string, string> {
  return Object.fromEntries(Object.entries(record?.spec.annotations ?? {}).filter(([name]) => !name.startsWith("dev.brig.")));
}

/** The words as a shell would take them. */
export function showCommand({ record }: Sandbox): string {
  const words = record?.spec.process?.args ?? [];
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(" ") || "-";
}

/** "running", "exited (137, out of memory)". */
export function describeStatus({ state, exit }: Sandbox): string {
  if (!exit) return state === "dead" ? "dead (its supervisor was killed)" : state;
  const why = exit.oomKilled ? ", out of memory" : exit.timedOut ? ", timed out" : "";
  return `exited (${exit.exitCode}${why})`;
}
