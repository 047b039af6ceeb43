import type { Lines } from "./profile-lines.js";
import type { Profile } from "./profile-schema.js";

/** Where a setting stands. */
export interface Place {
  /** Absolute. */
  file: string;
  /** One-based. */
  line: number;
}

/** One file's settings. */
export interface Layer {
  /** Absolute. */
  file: string;
  profile: Profile;
  lines: Lines;
}

type Values = Record<string, unknown>;
type Origins = Map<string, Place>;

/** Puts the layers over each other, the last on top: lists are joined, tables merged, the rest replaced. */
export function mergeProfiles(layers: readonly Layer[]): { profile: Profile; origins: Origins } {
  const merged: Values = {};
  const origins: Origins = new Map();
  for (const layer of layers) {
    for (const [key, value] of Object.entries(layer.profile)) {
      const place = findPlace(layer, key);
      if (place) origins.set(key, place);
      merged[key] = mergeValue(key, merged[key], value, layer, origins);
    }
  }
  return { profile: merged as Profile, origins };
}

function mergeValue(key: string, under: unknown, over: unknown, layer: Layer, origins: Origins): unknown {
  if (key === "command" || key === "extends") return over;
  if (Array.isArray(over)) return joinLists(key, toList(under, key, origins), over, layer, origins);
  if (typeof over !== "object" || over === null) return over;
  if (Array.isArray(under)) return joinLists(key, under, toList(over, key, undefined), layer, origins, Object.keys(over));
  for (const name of Object.keys(over)) setPlace(origins, `${key}.${name}`, findPlace(layer, `${key}.${name}`));
  return { ...(under as object | undefined), ...over };
}

/** A table becomes the list "NAME=value" (`env` has both forms), and its entries' places go along. */
function toList(value: unknown, key: string, origins: Origins | undefined): unknown[] {
  if (value === undefined || Array.isArray(value)) return value ?? [];
  return Object.entries(value as object).map(([name, entry], index) => {
    const place = origins?.get(`${key}.${name}`);
    origins?.delete(`${key}.${name}`);
    if (origins) setPlace(origins, `${key}[${index}]`, place);
    return `${name}=${String(entry)}`;
  });
}

/** What both lists name stays once, at its later place, so that the layer on top has the last word. */
function joinLists(key: string, under: unknown[], over: unknown[], layer: Layer, origins: Origins, names?: string[]): unknown[] {
  const entries = new Map<unknown, Place | undefined>();
  for (const [index, item] of under.entries()) entries.set(item, origins.get(`${key}[${index}]`));
  for (const [index, item] of over.entries()) {
    entries.delete(item);
    entries.set(item, findPlace(layer, names ? `${key}.${names[index]}` : `${key}[${index}]`));
  }
  for (const index of under.keys()) origins.delete(`${key}[${index}]`);
  for (const [index, place] of [...entries.values()].entries()) setPlace(origins, `${key}[${index}]`, place);
  return [...entries.keys()];
}

function findPlace(layer: Layer, setting: string): Place | undefined {
  const line = layer.lines.get(setting);
  return line === undefined ? undefined : { file: layer.file, line };
}

function setPlace(origins: Origins, setting: string, place: Place | undefined): void {
  if (place) origins.set(setting, place);
}
