import type { Extension, Origin, RootEntry } from "../spec/extension.js";
import type { Linux, Mount, Process, Root } from "../spec/oci.js";
import { findOrigin, type Origins } from "../spec/origin.js";
import type { PolicyContext } from "./context.js";
import type { SandboxOptions } from "./options.js";

/** A spec in the making, with what the parts of the policy need from each other. */
export interface Draft {
  readonly options: SandboxOptions;
  readonly context: PolicyContext;
  readonly command: readonly string[];
  root: Root;
  process: Process;
  mounts: Mount[];
  linux: Linux;
  hostname?: string;
  annotations: Record<string, string>;
  extension: Extension & { files: RootEntry[] };
  origins: Origins;
  /** The payload's home inside. */
  home: string;
  /** Whether a range of ids is mapped (started by root), so that bound folders must be idmapped to keep their owners. */
  mapped: boolean;
  /** Whether the payload has the host's own ids and no user namespace around it. */
  hostRoot: boolean;
  /** Places inside where the payload may write. */
  writable: string[];
  /** Places inside that show the host's files, with what of the host is there. */
  visible: { source: string; destination: string; write?: boolean }[];
  /** Where writes go that are not to reach the host. */
  overlays: NonNullable<Extension["overlay"]>;
  /** What a person should hear of decisions that they might not expect; `explain` prints them. */
  notes: string[];
}

/** Who asked for an option ("/memory", "/read/1"); an option without a known origin was given by a program. */
export function originOfOption(draft: Draft, pointer: string): Origin {
  const name = pointer.slice(1).replaceAll("/", ".");
  return findOrigin(draft.context.origins, pointer) ?? { kind: "config", text: `the option ${name}` };
}

/** The origin of something that nobody asked for, with the reason why it is so. */
export function byDefault(why: string): Origin {
  return { kind: "default", text: why };
}

/** The origin of an option that was given, else the default's reason. */
export function originOrDefault(draft: Draft, name: keyof SandboxOptions, why: string): Origin {
  return draft.options[name] === undefined ? byDefault(why) : originOfOption(draft, `/${name}`);
}

/** Notes that the spec depends on this file or folder as it is now. */
export function consultFile(draft: Draft, path: string): string {
  draft.context.consulted?.files.add(path);
  return path;
}

/** A variable of the caller's, noted as something that the spec depends on. */
export function consultEnv(draft: Draft, name: string): string | undefined {
  draft.context.consulted?.env.add(name);
  return draft.context.env[name];
}

/** A mount takes the place of an earlier one at the same destination, which it would cover anyway. */
export function addMount(draft: Draft, mount: Mount, origin: Origin): void {
  const earlier = draft.mounts.findIndex(({ destination }) => destination === mount.destination);
  if (earlier >= 0) {
    draft.mounts[earlier] = mount;
    draft.origins[`/mounts/${earlier}`] = origin;
  } else draft.origins[`/mounts/${draft.mounts.push(mount) - 1}`] = origin;
}

export function addFile(draft: Draft, entry: RootEntry): void {
  draft.extension.files.push(entry);
}
