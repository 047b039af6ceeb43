import { closeSync, fsyncSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "../lock.js";
import type { NetworkDefinition } from "./definition.js";
import { networkError } from "./errors.js";
import { findDefinitions } from "./folders.js";

/** What is there without having been made, as with docker; they have no definition. */
export const PREDEFINED = ["bridge", "host", "none"] as const;

export const NETWORK_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/;

/** The file that holds a network's definition, whether it exists or not. */
export function definitionFile(name: string): string {
  return join(findDefinitions(), name, "config.json");
}

/** Undefined when there is none of this very name. @throws BrigError BRIG_BAD_STATE */
export function readNetwork(name: string): NetworkDefinition | undefined {
  if (!NETWORK_NAME.test(name)) return undefined;
  try {
    const stat = lstatSync(join(findDefinitions(), name));
    if (stat.uid !== process.geteuid?.() || (stat.mode & 0o022) !== 0) throw networkError("BRIG_BAD_STATE", `the definition of the network ${name} is not this user's alone`, `ls -ld ${definitionFile(name)}`);
    return JSON.parse(readFileSync(definitionFile(name), "utf8")) as NetworkDefinition;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    if (error instanceof SyntaxError) throw networkError("BRIG_BAD_STATE", `${definitionFile(name)} is damaged: ${error.message}`, `brig network rm ${name}`, error);
    throw error;
  }
}

/** By name. */
export function listNetworks(): NetworkDefinition[] {
  try {
    return readdirSync(findDefinitions()).filter((name) => NETWORK_NAME.test(name)).toSorted().flatMap((name) => readNetwork(name) ?? []);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/**
 * The network of this name, this id, or an id that begins so.
 * @throws BrigError BRIG_NO_SUCH_NETWORK, BRIG_AMBIGUOUS
 */
export function findNetwork(reference: string): NetworkDefinition {
  const exact = readNetwork(reference);
  if (exact) return exact;
  const begun = /^[0-9a-f]+$/.test(reference) ? listNetworks().filter(({ id }) => id.startsWith(reference)) : [];
  if (begun.length === 1) return begun[0]!;
  if (begun.length > 1) throw networkError("BRIG_AMBIGUOUS", `network ${reference} is ambiguous (${begun.length} matches found on name)`, "type more of the id");
  throw networkError("BRIG_NO_SUCH_NETWORK", `network ${reference} not found`, `brig network ls lists them; brig network create ${reference} makes it`);
}

/** One at a time: what is free is looked for and taken. */
export function changeNetworks<T>(change: () => T): T {
  return withLock(join(findDefinitions(), ".lock"), change);
}

/** Whole or not there; a name that is taken stays as it is. @throws BrigError BRIG_NETWORK_EXISTS */
export function addNetwork(definition: NetworkDefinition): void {
  const folder = findDefinitions();
  const fresh = join(folder, `.new-${definition.id}`);
  mkdirSync(fresh, { recursive: true, mode: 0o700 });
  try {
    writeWhole(join(fresh, "config.json"), `${JSON.stringify(definition, null, 2)}\n`);
    renameSync(fresh, join(folder, definition.name));
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    if (["ENOTEMPTY", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "")) throw networkError("BRIG_NETWORK_EXISTS", `network with name ${definition.name} already exists`, undefined, error);
    throw error;
  }
}

export function dropNetwork({ name, id }: NetworkDefinition): void {
  const grave = join(findDefinitions(), `.new-${id}`);
  renameSync(join(findDefinitions(), name), grave);
  rmSync(grave, { recursive: true, force: true });
}

function writeWhole(file: string, content: string): void {
  const descriptor = openSync(file, "wx", 0o600);
  try {
    writeSync(descriptor, content);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
