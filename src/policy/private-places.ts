import { addMount, type Draft, originOfOption } from "./draft.js";
import { parseTmpfs } from "./parse/tmpfs.js";
import { resolveHostPath } from "./host-path.js";

/** `tmpfs` and `hide`. */
export function addPrivatePlaces(draft: Draft): void {
  draft.options.tmpfs?.forEach((words, index) => addTmpfs(draft, words, `/tmpfs/${index}`));
  draft.options.hide?.forEach((path, index) => hidePath(draft, path, `/hide/${index}`));
}

function addTmpfs(draft: Draft, words: string, pointer: string): void {
  const { destination, size, mode = 0o755, exec } = parseTmpfs(words, "tmpfs");
  const options = ["nosuid", "nodev", ...(exec ? [] : ["noexec"]), `mode=${mode.toString(8).padStart(4, "0")}`, ...(size === undefined ? [] : [`size=${size}`])];
  addMount(draft, { destination, type: "tmpfs", source: "tmpfs", options }, originOfOption(draft, pointer));
  draft.writable.push(destination);
}

function hidePath(draft: Draft, path: string, pointer: string): void {
  const masked = (draft.linux.maskedPaths ??= []);
  const place = resolveHostPath(draft, path, "hide");
  draft.origins[`/linux/maskedPaths/${masked.push(place) - 1}`] = originOfOption(draft, pointer);
}
