import type { Origin } from "../spec/extension.js";
import { formatPointer } from "../spec/origin.js";
import type { LoadedProfile } from "./profile.js";

/**
 * A profile's origins as the policy takes them: JSON pointers into the options ("/read/1", "/env/NAME", "/memory") to
 * the file, the line, and the setting in words.
 */
export function listProfileOrigins({ options, origins }: LoadedProfile): Record<string, Origin> {
  const listed: Record<string, Origin> = {};
  for (const [setting, { file, line }] of origins) {
    const [, key = setting, index, name] = /^([^.[]+)(?:\[(\d+)\]|\.(.*))?$/s.exec(setting) ?? [];
    const value = readEntry((options as Record<string, unknown>)[key], index ?? name);
    if (value !== undefined) listed[formatPointer(key, ...[index ?? name ?? []].flat())] = { kind: "profile", text: describeSetting(key, name, value), file, line };
  }
  return listed;
}

function readEntry(value: unknown, entry: string | undefined): unknown {
  return entry === undefined ? value : (value as Record<string, unknown> | undefined)?.[entry];
}

/** `read = "/srv"`; of a whole list or table only the key. */
function describeSetting(key: string, name: string | undefined, value: unknown): string {
  const setting = name === undefined ? key : `${key}.${name}`;
  return typeof value === "object" ? setting : `${setting} = ${JSON.stringify(value)}`;
}
