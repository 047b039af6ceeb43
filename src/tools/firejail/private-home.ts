import { lstatSync, readFileSync, readdirSync, readlinkSync } from "node:fs";
import { isBeneath } from "../../host/mountinfo.js";
import type { Draft } from "./draft.js";
import { findReal, refusePath, refuseRule } from "./paths.js";
import type { Rule } from "./rule.js";

/** Copies travel in the plan. */
const MAX_BYTES = 4 << 20;
const MAX_ENTRIES = 2000;

/** private-home: a copy of a file or folder of the home, which is gone at the end; the original stays as it is. */
export function copyToHome(draft: Draft, value: string, rule: Rule): void {
  const { home } = draft.context.places;
  const path = value.startsWith("/") ? value : `${home}/${value.replace(/^~\//, "")}`;
  const real = findReal(path);
  if (value.split("/").includes("..") || real === undefined || !isBeneath(real, findReal(home) ?? home) || real === findReal(home))
    throw refusePath(rule, `invalid private-home file or directory ${value}`);
  const size = { bytes: 0, entries: 0 };
  copyEntry(draft, path, rule, size);
}

function copyEntry(draft: Draft, path: string, rule: Rule, size: { bytes: number; entries: number }): void {
  const stat = lstatSync(path);
  const { files } = draft.extension;
  if (++size.entries > MAX_ENTRIES || (size.bytes += stat.isFile() ? stat.size : 0) > MAX_BYTES) throw refuseSize(path, rule);
  draft.context.folders.exists(path);
  if (stat.isSymbolicLink()) files.push({ type: "symlink", path, target: readlinkSync(path) });
  else if (stat.isDirectory()) {
    files.push({ type: "dir", path, mode: stat.mode & 0o777 });
    for (const name of readdirSync(path)) copyEntry(draft, `${path}/${name}`, rule, size);
  } else if (stat.isFile()) files.push({ type: "file", path, mode: stat.mode & 0o777, content: readContent(path, rule) });
}

function readContent(path: string, rule: Rule): string {
  const bytes = readFileSync(path);
  const content = bytes.toString("utf8");
  if (Buffer.from(content).equals(bytes) && !content.includes("\0")) return content;
  throw refuseRule(rule, "BRIG_CANNOT_PRIVATE_HOME", `brig copies text into a private home, and ${path} is none`, "--private=DIR with a folder of copies, or --whitelist to show the file itself");
}

function refuseSize(path: string, rule: Rule): Error {
  return refuseRule(rule, "BRIG_CANNOT_PRIVATE_HOME", `brig copies at most ${MAX_BYTES >> 20} MiB and ${MAX_ENTRIES} files into a private home, and ${path} goes beyond`, "--private=DIR with a folder of copies, or --whitelist to show the files themselves");
}
