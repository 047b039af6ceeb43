import { dirname } from "node:path";
import { isBeneath } from "../../host/mountinfo.js";
import type { Origin } from "../../spec/extension.js";
import type { Mount } from "../../spec/oci.js";

/** One mount of the sandbox as it will be in the end. */
export interface Layer {
  destination: string;
  /** "bind": `source` is a path of the host. Anything else is a new file system. */
  type: "bind" | "tmpfs" | "proc" | "devpts";
  source?: string;
  readonly: boolean;
  noexec: boolean;
  nosuid: boolean;
  nodev: boolean;
  /** The file system's own: "mode=0700". */
  options: string[];
  origin: Origin;
}

export type Change = Partial<Pick<Layer, "readonly" | "noexec" | "nosuid" | "nodev">>;

/**
 * What the payload will see at each path: the host's root and what lies over it. Firejail changes mounts one after
 * another; here the same words change this picture, and only its end becomes mounts.
 */
export class View {
  readonly #layers = new Map<string, Layer>([["/", makeLayer("/", "bind", "/", { kind: "tool", text: "the host's root" })]]);

  /** Binds a path of the host; what lay at or below the destination is covered. */
  bind(destination: string, source: string, origin: Origin, change: Change = {}): Layer {
    return this.#put({ ...makeLayer(destination, "bind", source, origin), ...change });
  }

  /** A new file system; what lay at or below the destination is covered. */
  cover(destination: string, type: Layer["type"], options: string[], origin: Origin, change: Change = {}): Layer {
    const layer = { ...makeLayer(destination, type, undefined, origin), nosuid: true, nodev: true, ...change };
    layer.options = options;
    return this.#put(layer);
  }

  /** Changes what is at a path and below it; where nothing of the host is, there is nothing to change. */
  change(path: string, change: Change, origin: Origin): boolean {
    const below = [...this.#layers.values()].filter(({ destination }) => isBeneath(destination, path));
    const known = this.#layers.has(path);
    if (!known) {
      const { source, layer } = this.find(path);
      if (source === undefined) return below.length > 0;
      const { readonly, noexec, nosuid, nodev } = layer;
      this.#layers.set(path, { ...makeLayer(path, "bind", source, origin), readonly, noexec, nosuid, nodev, ...change });
    }
    for (const each of below) Object.assign(each, change, { origin });
    return true;
  }

  /** The mount that a path lies on, and the path of the host that shows there, when it is the host's. */
  find(path: string): { layer: Layer; source: string | undefined } {
    let at = path;
    for (; ; at = dirname(at)) {
      const layer = this.#layers.get(at);
      if (!layer) continue;
      if (layer.source === undefined) return { layer, source: undefined };
      const rest = path.slice(at === "/" ? 0 : at.length);
      return { layer, source: layer.source === "/" ? rest || "/" : layer.source + rest };
    }
  }

  /** Outer places before inner ones, without the root. */
  list(): Layer[] {
    return [...this.#layers.values()].filter(({ destination }) => destination !== "/").sort((a, b) => depth(a) - depth(b));
  }

  #put(layer: Layer): Layer {
    for (const destination of this.#layers.keys()) if (isBeneath(destination, layer.destination)) this.#layers.delete(destination);
    this.#layers.set(layer.destination, layer);
    return layer;
  }
}

function makeLayer(destination: string, type: Layer["type"], source: string | undefined, origin: Origin): Layer {
  return { destination, type, ...(source === undefined ? {} : { source }), readonly: false, noexec: false, nosuid: false, nodev: false, options: [], origin };
}

function depth({ destination }: Layer): number {
  return destination.split("/").length;
}

export function renderMount(layer: Layer): Mount {
  const { destination, type, source, options } = layer;
  const recursive = type === "bind" ? ["rbind"] : [];
  const flags = [layer.readonly && "ro", layer.noexec && "noexec", layer.nosuid && "nosuid", layer.nodev && "nodev"].filter((flag) => flag !== false);
  return { destination, type, source: source ?? type, options: [...recursive, ...flags, ...options] };
}
