import { statSync } from "node:fs";
import { totalmem } from "node:os";
import { BrigError } from "../error/brig-error.js";
import { describeOrigin } from "../spec/origin.js";
import { addDevices } from "./devices.js";
import { addFile, addMount, byDefault, type Draft, originOfOption } from "./draft.js";
import { addOverlays } from "./ephemeral.js";
import { idmapMount } from "./folders.js";
import { resolveHostPath, resolveReal } from "./host-path.js";
import { addProc } from "./proc.js";
import { hideSecrets } from "./secrets.js";
import { addSystemFolders } from "./system-folders.js";

const MEBIBYTE = 2 ** 20;

/** Private folders of every sandbox, with their modes. */
const PRIVATE = { "/tmp": 0o1777, "/var/tmp": 0o1777, "/run": 0o755 };

/** The root: the host's system folders in a tmpfs, or a folder that someone named. */
export function addRoot(draft: Draft): void {
  if (draft.options.root === undefined) addHostRoot(draft);
  else addNamedRoot(draft, draft.options.root);
  addProc(draft);
  addDevices(draft);
}

/** One tmpfs holds everything that is the sandbox's own: fewer mounts, and one limit on what they take. */
function addHostRoot(draft: Draft): void {
  draft.root = { path: "" };
  draft.extension.rootTmpfs = { size: measureTmpfs(draft) };
  draft.origins["/root"] = byDefault("the host's system folders, read-only, around private ones");
  for (const [path, mode] of Object.entries(PRIVATE)) addFile(draft, { type: "dir", path, mode });
  addFile(draft, { type: "dir", path: draft.home, mode: 0o700 });
  addSystemFolders(draft);
  hideSecrets(draft);
  draft.writable.push(...Object.keys(PRIVATE), draft.home);
}

/**
 * The named folder is read-only unless `write` names "/", so that a payload cannot change what the next one trusts.
 * With `ephemeral` all of it is written to, in an overlay.
 */
function addNamedRoot(draft: Draft, root: string): void {
  const path = resolveReal(draft, resolveHostPath(draft, root, "root"), "/root");
  if (!statSync(path).isDirectory()) throw refuseRoot(draft, path);
  const writable = Boolean(draft.options.ephemeral) || (draft.options.write?.includes("/") ?? false);
  draft.root = { path, readonly: !writable };
  draft.origins["/root"] = originOfOption(draft, "/root");
  if (writable) draft.writable.push("/");
  if (draft.options.ephemeral) addOverlays(draft, [{ source: path, destination: "/", write: true, origin: originOfOption(draft, "/root") }]);
  else mapRoot(draft, path);
  for (const [destination, mode] of Object.entries(PRIVATE)) addPrivate(draft, destination, mode);
  addMount(draft, { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=0755", "size=64m"] }, byDefault("its own devices"));
}

/** With mapped ids the root's files have the owners that they have in it, where its file system can do that. */
function mapRoot(draft: Draft, source: string): void {
  const origin = originOfOption(draft, "/root");
  const mount = idmapMount(draft, { source, destination: "/", write: false, origin }, { destination: "/", type: "bind", source, options: ["rbind"] });
  if (mount.uidMappings) addMount(draft, mount, origin);
}

function addPrivate(draft: Draft, destination: string, mode: number): void {
  const options = ["nosuid", "nodev", `mode=${mode.toString(8).padStart(4, "0")}`, `size=${measureTmpfs(draft)}`];
  addMount(draft, { destination, type: "tmpfs", source: "tmpfs", options }, byDefault("private and gone on exit"));
  draft.writable.push(destination);
}

/** A quarter of what the sandbox may use of memory, or of the host's. */
function measureTmpfs(draft: Draft): number {
  const limit = draft.linux.resources?.memory?.limit ?? totalmem();
  return Math.max(16 * MEBIBYTE, Math.floor(limit / 4 / 4096) * 4096);
}

function refuseRoot(draft: Draft, path: string): BrigError {
  const origin = describeOrigin(originOfOption(draft, "/root"));
  return new BrigError(`${path} is no folder`, { code: "BRIG_BAD_VALUE", origin, hint: "brig jail build makes one with the programs that you name" });
}
