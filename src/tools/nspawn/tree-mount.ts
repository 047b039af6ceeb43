import { lstatSync, readlinkSync, statSync } from "node:fs";
import { resolveInRoot } from "../../host/read-in-root.js";
import type { Extension, LayeredOverlay, RootEntry } from "../../spec/extension.js";
import type { Mount } from "../../spec/oci.js";
import type { NspawnContext } from "./context.js";
import type { NspawnOptions } from "./options.js";
import { hasMountsBelow, type Tree } from "./root.js";
import type { Users } from "./users.js";
import { refuseWords } from "./values.js";

/** An overlay without its place among the mounts, and where it is put together. */
export type Layers = Omit<LayeredOverlay, "mount" | "place">;

/** How the tree becomes "/". */
export interface TreeMount {
  mounts: Mount[];
  files: RootEntry[];
  readonly: boolean;
  extension: Pick<Extension, "rootTmpfs" | "rootImage">;
  overlay?: Layers;
}

const USR_LINKS = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"];

/** As it is, read-only, with changes that are thrown away, or just its /usr: --read-only, --ephemeral, --volatile=, --pivot-root=. */
export function mountTree(options: NspawnOptions, context: NspawnContext, tree: Tree, users: Users): TreeMount {
  const source = pivot(options, tree);
  const volatile = options.volatile ?? "no";
  const plain = { files: [], readonly: options.readOnly ?? false, extension: {} };
  if (tree.image) return mountImage(options, tree, users);
  if (volatile === "yes") return { ...plain, mounts: [bindTree(context, users, `${source}/usr`, "/usr", true)], files: linkUsr(source), extension: { rootTmpfs: {} } };
  if (options.ephemeral || volatile === "overlay") return { ...plain, mounts: [{ destination: "/", type: "overlay", source: "overlay", options: [] }], overlay: { lower: [source], scratch: true, map: users.mapsFiles } };
  const mounts = [bindTree(context, users, source, "/", false)];
  if (options.pivotRoot?.old !== undefined) mounts.push(bindTree(context, users, tree.path, options.pivotRoot.old, false));
  if (volatile === "state") return { ...plain, readonly: true, mounts: [...mounts, { destination: "/var", type: "tmpfs", source: "tmpfs", options: ["mode=0755", "nosuid", "nodev"] }] };
  return { ...plain, mounts };
}

function pivot({ pivotRoot }: NspawnOptions, tree: Tree): string {
  if (!pivotRoot) return tree.path;
  const found = tree.image ? undefined : resolveInRoot(tree.path, pivotRoot.root);
  if (found !== undefined && statSync(found, { throwIfNoEntry: false })?.isDirectory()) return found;
  throw refuseWords(`Failed to pivot root: ${pivotRoot.root} is no folder of ${tree.path}`);
}

function bindTree(context: NspawnContext, users: Users, source: string, destination: string, readonly: boolean): Mount {
  const recursive = hasMountsBelow(context, source);
  const idmap = users.mapsFiles ? [recursive ? "ridmap" : "idmap"] : [];
  return { destination, type: "bind", source, options: [recursive ? "rbind" : "bind", ...(readonly ? ["ro"] : []), ...idmap] };
}

function mountImage(options: NspawnOptions, { path, image }: Tree, users: Users): TreeMount {
  const { type, offset, size } = image!;
  const readonly = (options.readOnly ?? false) || type === "squashfs" || type === "erofs";
  if (options.ephemeral || (options.volatile ?? "no") !== "no" || options.pivotRoot) throw refuseWords("--ephemeral, --volatile= and --pivot-root= need a folder, not an image.", "--read-only leaves the image as it is");
  return { mounts: [], files: [], readonly, extension: { rootImage: { path, type, offset, size, readonly, map: users.mapsFiles } } };
}

/** systemd starts in an empty root that has nothing but /usr, where the rest of the system is links to it. */
function linkUsr(root: string): RootEntry[] {
  if (!statSync(`${root}/usr`, { throwIfNoEntry: false })?.isDirectory()) throw refuseWords(`Failed to make ${root} volatile: it has no /usr`);
  if (!lstatSync(`${root}/bin`, { throwIfNoEntry: false })?.isSymbolicLink()) throw refuseWords(`Sorry, --volatile=yes mode is not supported with OS images that have not merged /bin/, /sbin/, /lib/, /lib64/ into /usr/.`, "--volatile=overlay works with any");
  return USR_LINKS.filter((name) => lstatSync(`${root}/${name}`, { throwIfNoEntry: false })?.isSymbolicLink()).map((name) => ({ type: "symlink", path: `/${name}`, target: readlinkSync(`${root}/${name}`) }));
}
