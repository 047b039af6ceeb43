import { readdirSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import { isBeneath } from "../host/mountinfo.js";
import type { Extension } from "../spec/extension.js";
import type { Mount, Spec } from "../spec/oci.js";
import { isHarmlessDevice, type Reach } from "./posture.js";
import type { ReachOfMounts } from "./read-reach.js";
import { describeEntry, type View, type ViewEntry } from "./view-of-root.js";

/** A place inside and what is put there; without a source it is nothing of the host's. */
interface Layer {
  destination: string;
  source: string | undefined;
  writable: boolean;
}

/** Files as they will be once the mounts of a spec are made: the last mount above a path decides. */
export class SpecView implements View {
  readonly layers: Layer[];

  constructor(spec: Spec, extension: Extension) {
    this.layers = listLayers(spec, extension);
  }

  /** The layers that show something of the host's. */
  get binds(): (Layer & { source: string })[] {
    return this.layers.filter((layer): layer is Layer & { source: string } => layer.source !== undefined);
  }

  findLayer(path: string): Layer | undefined {
    return this.layers.findLast((layer) => isBeneath(path, layer.destination));
  }

  findHostPath(path: string): string | undefined {
    const layer = this.findLayer(path);
    return layer?.source === undefined ? undefined : join(layer.source, path.slice(layer.destination === "/" ? 0 : layer.destination.length));
  }

  stat(path: string): { path: string; stats: Stats } | undefined {
    try {
      const host = this.findHostPath(path);
      return host === undefined ? undefined : { path, stats: statSync(host) };
    } catch {
      return undefined;
    }
  }

  list(path: string): ViewEntry[] {
    const inner = this.layers.filter((layer) => layer.destination !== path && isBeneath(layer.destination, path));
    const names = inner.map((layer) => layer.destination.slice(path === "/" ? 1 : path.length + 1).split("/")[0] ?? "");
    const entries = [...names.map((name): ViewEntry => ({ name, kind: "other" })), ...listFolder(this.findHostPath(path))];
    return [...new Map(entries.map((entry) => [entry.name, entry])).values()];
  }
}

function listFolder(host: string | undefined): ViewEntry[] {
  try {
    return host === undefined ? [] : readdirSync(host, { withFileTypes: true }).map(describeEntry);
  } catch {
    return [];
  }
}

function listLayers(spec: Spec, extension: Extension): Layer[] {
  const own = (spec.linux?.namespaces ?? []).some((namespace) => namespace.type === "mount");
  const folder = extension.chroot?.path ?? (extension.rootTmpfs ? undefined : (spec.root?.path ?? (own ? undefined : "/")));
  const root: Layer = { destination: "/", source: folder, writable: spec.root?.readonly !== true };
  const overlays = (extension.overlay ?? []).map(({ destination, lower }) => ({ destination: cutSlash(destination), source: lower, writable: false }));
  return [root, ...(spec.mounts ?? []).map(describeMount), ...overlays, ...(spec.linux?.maskedPaths ?? []).map(describeMask)];
}

function describeMount(mount: Mount): Layer {
  const options = mount.options ?? [];
  const isBind = mount.type === "bind" || options.includes("bind") || options.includes("rbind");
  const lower = mount.type === "overlay" ? options.find((option) => option.startsWith("lowerdir="))?.slice(9).split(":")[0] : undefined;
  const readOnly = options.includes("ro") || options.includes("rro");
  return { destination: cutSlash(mount.destination), source: isBind ? mount.source : lower, writable: isBind && !readOnly };
}

function describeMask(path: string): Layer {
  return { destination: cutSlash(path), source: undefined, writable: false };
}

function cutSlash(path: string): string {
  return join("/", path).replace(/(.)\/$/, "$1");
}

/** What of the host's the mounts of a spec show, harmless devices left out, and what a later mount covers. */
export function predictReach(view: SpecView): ReachOfMounts {
  const visible = view.binds.filter((layer) => view.findLayer(layer.destination) === layer && ![layer.destination, layer.source].some(isHarmlessDevice));
  const describe = (layer: Layer): Reach => ({ path: layer.destination, host: layer.source });
  return { writable: visible.filter((layer) => layer.writable).map(describe), readable: visible.filter((layer) => !layer.writable).map(describe) };
}
