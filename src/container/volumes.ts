import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { BrigError } from "../error/brig-error.js";
import { findDataFolder } from "../sandbox/data-folder.js";
import { replaceFile } from "../image/store/replace-file.js";

/** A folder that outlives containers: `volumes/NAME/_data`. */
export interface Volume {
  Name: string;
  Driver: "local";
  Mountpoint: string;
  CreatedAt: string;
  Labels: Record<string, string>;
  Options: Record<string, string> | null;
  Scope: "local";
}

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

export function openVolumesFolder(): string {
  const folder = `${findDataFolder()}/volumes`;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** The volume of that name, made where there is none; without a name a new one with a random name. */
export function makeVolume(name = randomBytes(32).toString("hex"), labels: Record<string, string> = {}): Volume {
  if (!NAME.test(name) || name.length > 255)
    throw new BrigError(`${JSON.stringify(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed`, { code: "BRIG_BAD_NAME", hint: "If you intended to pass a host directory, use absolute path" });
  const folder = `${openVolumesFolder()}/${name}`;
  const known = readVolume(name);
  if (known) return known;
  const volume: Volume = { Name: name, Driver: "local", Mountpoint: `${folder}/_data`, CreatedAt: new Date().toISOString(), Labels: labels, Options: null, Scope: "local" };
  mkdirSync(volume.Mountpoint, { recursive: true, mode: 0o755 });
  replaceFile(`${folder}/volume.json`, JSON.stringify(volume), 0o600);
  return volume;
}

export function readVolume(name: string): Volume | undefined {
  if (!NAME.test(name)) return undefined;
  try {
    return JSON.parse(readFileSync(`${openVolumesFolder()}/${name}/volume.json`, "utf8")) as Volume;
  } catch {
    return undefined;
  }
}

export function listVolumes(): Volume[] {
  return readdirSync(openVolumesFolder()).flatMap((name) => readVolume(name) ?? []).sort((a, b) => a.Name.localeCompare(b.Name));
}

/** Removes a volume that no container has. */
export function removeVolume(name: string): void {
  if (!NAME.test(name)) return;
  const folder = `${openVolumesFolder()}/${name}`;
  if (lstatSync(folder, { throwIfNoEntry: false })) rmSync(folder, { recursive: true, force: true });
}
