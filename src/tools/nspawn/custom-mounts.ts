import { mkdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { resolveMount } from "../../host/mountinfo.js";
import { resolveInRoot } from "../../host/read-in-root.js";
import type { Layers } from "./tree-mount.js";
import type { Mount } from "../../spec/oci.js";
import type { NspawnContext } from "./context.js";
import type { CustomMount, NspawnOptions } from "./options.js";
import type { Tree } from "./root.js";
import type { Users } from "./users.js";
import { canIdmap } from "../../policy/idmapped-file-systems.js";
import { refuseWords } from "./values.js";

/** Mounts that were asked for, and where the options alone do not say how. */
export interface CustomMounts {
  mounts: { mount: Mount; overlay?: Layers; text: string }[];
  maskedPaths: string[];
}

/**
 * --bind, --tmpfs, --overlay and --inaccessible, folders before what is in them.
 * @throws BrigError BRIG_BAD_OPTION: a source that is not there, ids that cannot be mapped
 */
export function planCustomMounts(options: NspawnOptions, context: NspawnContext, tree: Tree, users: Users): CustomMounts {
  const planned: CustomMounts = { mounts: [], maskedPaths: [] };
  const sorted = [...options.mounts].sort((a, b) => (a.destination < b.destination ? -1 : a.destination > b.destination ? 1 : 0));
  for (const custom of sorted) {
    if (custom.kind === "inaccessible") planned.maskedPaths.push(custom.destination);
    else if (custom.kind === "tmpfs") planned.mounts.push({ text: custom.text, mount: { destination: custom.destination, type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", ...custom.options] } });
    else if (custom.kind === "bind") planned.mounts.push(...planBind(custom, context, tree, users));
    else planned.mounts.push(planOverlay(custom, context, tree, users));
  }
  return planned;
}

/** A path on the host; with "+" in front, in the machine's tree. */
function findSource(path: string, tree: Tree): string {
  if (!path.startsWith("+")) return path;
  if (tree.image) throw refuseWords(`${path} is in an image, and cannot be found before that is mounted`, "give a path of the host");
  return resolveInRoot(tree.path, path.slice(1)) ?? join(tree.path, path.slice(1));
}

function planBind(custom: Extract<CustomMount, { kind: "bind" }>, context: NspawnContext, tree: Tree, users: Users): CustomMounts["mounts"] {
  if (custom.source === "") return [{ text: custom.text, mount: { destination: custom.destination, type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "mode=0755", ...(custom.readOnly ? ["ro"] : [])] } }];
  const source = findSource(custom.source, tree);
  context.consulted.add(source);
  const stat = statSync(source, { throwIfNoEntry: false });
  if (!stat && custom.optional) return [];
  if (!stat) throw refuseWords(`Failed to stat ${source}: No such file or directory`, `a "-" in front lets it be missing: ${custom.text.split("=")[0]}=-${custom.source}`);
  const ids = chooseIds(custom, context, source, users, stat.isFile() || stat.isDirectory());
  const recursive = custom.recursive && stat.isDirectory() && !(ids && !custom.recursive);
  return [{
    text: custom.text,
    mount: { destination: custom.destination, type: "bind", source, options: [recursive ? "rbind" : "bind", ...(custom.readOnly ? [recursive ? "rro" : "ro"] : []), ...(ids ? [recursive ? "ridmap" : "idmap"] : [])] },
  }];
}

/** A machine that did not ask for a user namespace finds the owners of what is bound as they are on the host. */
function chooseIds(custom: Extract<CustomMount, { kind: "bind" }>, context: NspawnContext, source: string, users: Users, mayMap: boolean): boolean {
  if (custom.idmap === "rootid") throw refuseWords(`${custom.text}: rootidmap is not supported by brig`, "idmap shows all owners as they are on the host");
  if (!users.mappings || context.host.euid !== 0) {
    if (custom.idmap === "id") throw refuseWords(`${custom.text}: ids can be mapped only for a machine with a user namespace, by root`, "leave idmap out");
    return false;
  }
  const type = resolveMount(context.mounts, source)?.type ?? "";
  if (custom.idmap === "id") return true;
  return users.byDefault && mayMap && canIdmap(type, context.host);
}

function planOverlay(custom: Extract<CustomMount, { kind: "overlay" }>, context: NspawnContext, tree: Tree, users: Users): CustomMounts["mounts"][number] {
  const lower = custom.lower.map((path) => (path === "" ? "" : findSource(path, tree))).filter((path) => path !== "");
  if (lower.length === 0) throw refuseWords(`${custom.text}: an overlay needs a lower folder`);
  for (const path of lower) requireFolder(path, context);
  const map = users.byDefault && users.mappings !== undefined && context.host.euid === 0;
  const mount: Mount = { destination: custom.destination, type: "overlay", source: "overlay", options: custom.upper === undefined ? ["ro"] : [] };
  const layers = { lower: lower.reverse(), map };
  if (custom.upper === undefined) return { text: custom.text, mount, overlay: layers };
  if (custom.upper === "") return { text: custom.text, mount, overlay: { ...layers, scratch: true } };
  const upper = findSource(custom.upper, tree);
  requireFolder(upper, context);
  return { text: custom.text, mount, overlay: { ...layers, upper, work: makeWorkFolder(upper) } };
}

function requireFolder(path: string, context: NspawnContext): void {
  context.consulted.add(path);
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw refuseWords(`Failed to stat ${path}: No such file or directory`, "an overlay's layers are folders of the host");
}

/** overlay(5): beside the upper side, on the same file system, and for nobody else. */
function makeWorkFolder(upper: string): string {
  const work = join(dirname(upper), `.#${basename(upper)}.work`);
  try {
    mkdirSync(work, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw refuseWords(`Failed to make the overlay's work folder ${work}: ${(error as NodeJS.ErrnoException).code}`);
  }
  return work;
}
