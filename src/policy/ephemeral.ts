import { statSync } from "node:fs";
import { join } from "node:path";
import { BrigError } from "../error/brig-error.js";
import { describeOrigin } from "../spec/origin.js";
import { type Draft, originOfOption } from "./draft.js";
import type { Shown } from "./folders.js";

/** Puts overlays over the folders that may be written; returns what is still to be mounted as it is. */
export function addOverlays(draft: Draft, shown: Shown[]): Shown[] {
  if (!draft.options.ephemeral) return shown;
  const { scratch } = draft.context;
  if (scratch === undefined || draft.options.detach) throw refuse(draft, "nothing waits for its end to see to what was written", "leave --ephemeral or --detach out");
  const written = shown.filter(({ write }) => write);
  for (const each of written) addOverlay(draft, each, join(scratch, String(draft.overlays.length)));
  return shown.filter((each) => !written.includes(each));
}

function addOverlay(draft: Draft, { source, destination, origin }: Shown, folder: string): void {
  if (!statSync(source).isDirectory()) throw refuse(draft, `${source} is no folder, and only those can be written to and dropped`, "name the folder that it lies in");
  const place = draft.mapped ? { place: join(folder, "lower") } : {};
  const index = draft.overlays.push({ lower: source, upper: join(folder, "upper"), work: join(folder, "work"), destination, ...place }) - 1;
  draft.origins[`/annotations/dev.brig.overlay/${index}`] = origin;
  draft.visible.push({ source, destination, write: true });
  draft.writable.push(destination);
}

function refuse(draft: Draft, why: string, hint: string): BrigError {
  const origin = describeOrigin(originOfOption(draft, "/ephemeral"));
  return new BrigError(`cannot keep writes apart: ${why}`, { code: "BRIG_CANNOT_BE_EPHEMERAL", origin, hint });
}
