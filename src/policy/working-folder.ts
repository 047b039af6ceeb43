import { statSync } from "node:fs";
import { resolve } from "node:path";
import { isBeneath } from "../host/mountinfo.js";
import { byDefault, type Draft, originOfOption, originOrDefault } from "./draft.js";
import type { Shown } from "./folders.js";

/** Folders whose whole content must never be shown just because someone stood in them. */
const NEVER_WHOLE = ["/", "/home", "/root", "/tmp", "/var/tmp", "/var", "/run", "/dev", "/proc", "/sys", "/mnt", "/media", "/boot"];

/** Folders of the kernel's, of which not even a part is shown. */
const KERNEL_FOLDERS = ["/proc", "/sys", "/dev"];

/**
 * Sets the payload's working folder: the caller's, which is returned when it is to be shown and nothing shows it yet,
 * else a place that is there anyway.
 */
export function setWorkingFolder(draft: Draft, shown: readonly Shown[]): Shown | undefined {
  const { cwd: asked, root } = draft.options;
  const { cwd } = draft.context;
  draft.origins["/process/cwd"] = originOrDefault(draft, "cwd", "the folder that brig was started in");
  const project = chooseProject(draft, shown);
  draft.process.cwd = (asked === undefined ? undefined : resolve(root === undefined ? cwd : "/", asked)) ?? (root !== undefined && !project ? "/" : isThere(draft, cwd, shown, project) ? cwd : draft.home);
  return project;
}

function isThere(draft: Draft, cwd: string, shown: readonly Shown[], project: Shown | undefined): boolean {
  const places = [...draft.visible, ...shown, ...(project ? [project] : [])].map(({ destination }) => destination);
  return cwd === "/" || places.some((place) => isBeneath(cwd, place)) || isBeneath(cwd, draft.home) && cwd === draft.home || ["/tmp", "/var/tmp", "/run"].includes(cwd);
}

function chooseProject(draft: Draft, shown: readonly Shown[]): Shown | undefined {
  const { project = "read", root } = draft.options;
  const { cwd } = draft.context;
  const write = project === "write" || Boolean(draft.options.ephemeral);
  if (project === "none" || (root !== undefined && draft.options.project === undefined)) return undefined;
  if (coversPrivate(draft, cwd)) return void explainHidden(draft, cwd);
  if (shown.some((each) => each.source === each.destination && isBeneath(cwd, each.destination) && (each.write || !write))) return undefined;
  if (!write && draft.visible.some(({ destination }) => isBeneath(cwd, destination))) return undefined;
  const origin = draft.options.project === undefined ? byDefault("the working folder, read-only") : originOfOption(draft, "/project");
  return { source: cwd, destination: cwd, write, origin };
}

function coversPrivate(draft: Draft, cwd: string): boolean {
  return NEVER_WHOLE.includes(cwd) || isBeneath(draft.context.home, cwd) || KERNEL_FOLDERS.some((folder) => isBeneath(cwd, folder));
}

function explainHidden(draft: Draft, cwd: string): void {
  const { ino } = statSync(cwd, { throwIfNoEntry: false }) ?? { ino: 0 };
  if (ino !== 0) draft.notes.push(`${cwd} is too much to show just because brig was started there: --read ${cwd === draft.context.home ? "~" : cwd} shows it`);
}
