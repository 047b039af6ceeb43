import { copyFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { MAPPED_BASE } from "../policy/identity.js";
import { type Extension, readExtension, writeExtension } from "../spec/extension.js";
import type { Mount, Spec } from "../spec/oci.js";

type Overlay = NonNullable<Extension["overlay"]>[number];

/** A sandbox whose writes to the host are dropped, and how to make ready for it. */
export interface Dropping {
  spec: Spec;
  overlays: Overlay[];
  /** What is added to owners' ids in the upper sides. */
  shift: number;
  /** Files that are shown as copies, which stand in for them: call it when the scratch folder is there. */
  copyFiles(): void;
}

/** The same sandbox, but what it may write of the host is an overlay over a folder, or a copy of a file. */
export function dropWrites(spec: Spec, scratch: string): Dropping {
  const overlays: Overlay[] = [];
  const copies: { from: string; to: string }[] = [];
  const mounts = (spec.mounts ?? []).map((mount, index) => {
    if (!isWrittenHost(mount)) return mount;
    const source = mount.source as string;
    if (statSync(source).isDirectory()) overlays.push(makeOverlay(mount, join(scratch, `folder-${index}`)));
    else copies.push({ from: source, to: join(scratch, `file-${index}`) });
    return statSync(source).isFile() ? { ...mount, source: join(scratch, `file-${index}`) } : mount;
  });
  const dropped = overlays.length > 0 ? { overlay: [...(readExtension(spec).overlay ?? []), ...overlays] } : {};
  return {
    spec: writeExtension({ ...spec, mounts }, { ...readExtension(spec), ...dropped }),
    overlays,
    shift: overlays.some(({ place }) => place !== undefined) ? MAPPED_BASE : 0,
    copyFiles: () => copies.filter(({ from }) => statSync(from).isFile()).forEach(({ from, to }) => copyFileSync(from, to)),
  };
}

function isWrittenHost({ options = [], source, destination }: Mount): boolean {
  const bind = options.includes("bind") || options.includes("rbind");
  return bind && source !== undefined && !options.includes("ro") && !options.includes("rro") && !destination.startsWith("/dev/");
}

function makeOverlay({ source, destination, uidMappings }: Mount, folder: string): Overlay {
  const place = uidMappings === undefined ? {} : { place: join(folder, "lower") };
  return { lower: source as string, upper: join(folder, "upper"), work: join(folder, "work"), destination, ...place };
}
