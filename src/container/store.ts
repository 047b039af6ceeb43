import { randomBytes } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, unlinkSync } from "node:fs";
import { BrigError } from "../error/brig-error.js";
import { replaceFile } from "../image/store/replace-file.js";
import type { Container } from "./model.js";
import { drawName } from "./names.js";

const ID = /^[0-9a-f]{64}$/;
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** All containers of this user, in no order. One that is just being made or removed is not among them. */
export function readContainers(folder: string): Container[] {
  return readdirSync(folder).filter((name) => ID.test(name)).flatMap((id) => readContainer(folder, id) ?? []);
}

/** Undefined when there is none. */
export function readContainer(folder: string, id: string): Container | undefined {
  try {
    return JSON.parse(readFileSync(`${folder}/${id}/container.json`, "utf8")) as Container;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Replaces what is on the disk, so that a reader sees the old one or the new one, whatever happens meanwhile. */
export function writeContainer(folder: string, container: Container): void {
  replaceFile(`${folder}/${container.Id}/container.json`, JSON.stringify(container, null, 1), 0o600);
}

export function drawId(): string {
  return randomBytes(32).toString("hex");
}

/**
 * Takes a name for an id; without one a free name is drawn.
 * @throws BrigError BRIG_BAD_NAME, BRIG_NAME_TAKEN
 */
export function takeName(folder: string, id: string, wanted?: string): string {
  const names = `${folder}/.names`;
  mkdirSync(names, { recursive: true, mode: 0o700 });
  const name = wanted ?? drawName((each) => lstatSync(`${names}/${each}`, { throwIfNoEntry: false }) !== undefined);
  if (!NAME.test(name) || name.length > 63)
    throw new BrigError(`Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`, { code: "BRIG_BAD_NAME", hint: "at least two of them, and at most 63" });
  try {
    symlinkSync(id, `${names}/${name}`);
    return name;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const owner = findOwner(folder, name);
    if (owner !== undefined) throw refuseTaken(name, owner);
    dropName(folder, name);
    return takeName(folder, id, name);
  }
}

/** The id that has the name; undefined when its container is gone. */
export function findOwner(folder: string, name: string): string | undefined {
  try {
    const id = readlinkSync(`${folder}/.names/${name}`);
    return lstatSync(`${folder}/${id}`, { throwIfNoEntry: false }) ? id : undefined;
  } catch {
    return undefined;
  }
}

export function dropName(folder: string, name: string): void {
  try {
    unlinkSync(`${folder}/.names/${name}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

function refuseTaken(name: string, owner: string): BrigError {
  return new BrigError(`Conflict. The container name "/${name}" is already in use by container "${owner}"`, {
    code: "BRIG_NAME_TAKEN", hint: `remove it (brig docker rm ${name}), rename it, or take another name`,
  });
}
