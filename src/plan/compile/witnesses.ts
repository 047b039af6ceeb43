import type { HostFacts } from "../../host/facts.js";
import { addBytes, hashToBigInt, makeHash } from "../checksum.js";
import type { Witness } from "../plan.js";
import type { CompileOptions } from "./context.js";

/** What the plan was made from: it is stale as soon as one of these is another. */
export function compileWitnesses(options: CompileOptions, host: HostFacts, terminals: boolean): Witness[] {
  const witnesses: Witness[] = [{ kind: "ids", uid: host.euid, gid: host.egid, groups: hashGroups(host.groups.filter((group) => group !== host.egid)) }];
  if (options.words) witnesses.push({ kind: "words", words: options.words });
  if (options.cwd !== undefined) witnesses.push({ kind: "cwd", folder: options.cwd });
  if (terminals) witnesses.push({ kind: "tty", bits: host.terminals });
  return [...witnesses, ...(options.witnesses ?? [])];
}

/** FNV-1a 64 of the supplementary groups as sorted u32. */
export function hashGroups(groups: readonly number[]): bigint {
  const sorted = Uint32Array.from(groups).sort();
  return hashToBigInt(addBytes(makeHash(), new Uint8Array(sorted.buffer)));
}
