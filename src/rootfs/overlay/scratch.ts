import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Extension } from "../../spec/extension.js";
import { PREFIX } from "./name-scratch.js";

type Overlay = NonNullable<Extension["overlay"]>[number];

/**
 * Makes the folders of each overlay. The upper side of a folder looks as the folder does; `shift` is added to the
 * owner's ids, for payloads whose ids are mapped, and lets those through the scratch folder itself.
 */
export function makeScratch(scratch: string, overlays: readonly Overlay[], shift: number): void {
  mkdirSync(scratch, { mode: 0o700 });
  if (shift > 0) chmodSync(scratch, 0o711);
  for (const overlay of overlays) {
    const { lower, upper, work, place } = overlay;
    mkdirSync(dirname(upper), { mode: 0o700 });
    for (const path of [upper, work, ...(place === undefined ? [] : [place])]) mkdirSync(path, { mode: 0o700 });
    const { mode, uid, gid } = statSync(lower);
    if (shift > 0) for (const path of [dirname(upper), work, ...(place === undefined ? [] : [place])]) chownSync(path, shift, shift);
    if (shift > 0) chownSync(upper, uid + shift, gid + shift);
    chmodSync(upper, mode & 0o777);
  }
}

/**
 * Removes a scratch folder. The payload may have made folders that nobody may enter and trees deeper than a path can
 * be long; chmod(1) and rm(1) walk by descriptors and follow no links.
 */
export function removeScratch(scratch: string): void {
  spawnSync("chmod", ["-R", "u+rwX", "--", scratch], { stdio: "ignore" });
  spawnSync("rm", ["-rf", "--one-file-system", "--", scratch], { stdio: "ignore" });
}

/** Removes what runs left that were killed. */
export function removeStale(folder: string): void {
  const own = `${PREFIX}${process.geteuid?.()}-`;
  const names = readdirSync(folder).filter((name) => name.startsWith(own));
  for (const name of names) {
    const pid = Number(basename(name).slice(own.length).split("-", 1)[0]);
    if (pid > 0 && !isAlive(pid) && statSync(join(folder, name)).uid === process.geteuid?.()) removeScratch(join(folder, name));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
