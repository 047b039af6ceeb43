import type { Accounts } from "../host/accounts.js";
import type { Extension } from "../spec/extension.js";
import type { Spec } from "../spec/oci.js";
import { describeOrigin, findOrigin } from "../spec/origin.js";

/** A unit that is being written: what systemd does, and what it cannot. */
export interface UnitDraft {
  spec: Spec;
  extension: Extension;
  facts: UnitFacts;
  /** [Service], in order. */
  lines: UnitLine[];
  lacks: Lack[];
}

/** What of the host decides how a wall is put into systemd's words. */
export interface UnitFacts {
  /** The owner of a file or folder; undefined when there is none. */
  ownerOf(path: string): { uid: number; gid: number } | undefined;
  exists(path: string): boolean;
  /** systemd takes no number that has no account. */
  accounts: Pick<Accounts, "userById" | "groupById">;
}

export interface UnitLine {
  name: string;
  value: string;
  /** Why it stands there, where that is not to be seen. */
  comment?: string | undefined;
}

/** A wall that systemd 252 has no words for. */
export interface Lack {
  what: string;
  /** Who asked for it. */
  origin: string | undefined;
}

export function put(draft: UnitDraft, name: string, value: string, comment?: string): void {
  draft.lines.push({ name, value, comment });
}

/** @param pointer of the setting, for who asked for it */
export function lack(draft: UnitDraft, pointer: string, what: string): void {
  const origin = findOrigin(draft.extension.origins, pointer);
  draft.lacks.push({ what, origin: origin && origin.kind !== "default" ? describeOrigin(origin) : undefined });
}

/** Whether somebody asked for it, and it is no default. */
export function isAsked(draft: UnitDraft, pointer: string): boolean {
  const origin = findOrigin(draft.extension.origins, pointer);
  return origin !== undefined && origin.kind !== "default";
}
