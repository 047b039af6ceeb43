import { existsSync, realpathSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { isBeneath } from "../../host/mountinfo.js";
import { resolveInRoot } from "../../host/read-in-root.js";
import { type Image, readImage } from "./image.js";
import type { NspawnContext } from "./context.js";
import type { NspawnOptions } from "./options.js";
import { cleanHostname, formatUuid, isHostname, refuseWords } from "./values.js";
import { addBytes, formatHash, makeHash } from "../../plan/checksum.js";

/** The tree that a machine is made from. */
export interface Tree {
  /** Absolute, without links. */
  path: string;
  name: string;
  /** `path` is an image, with the root in it there. */
  image?: Image;
}

const IMAGE_FOLDERS = ["/etc/machines", "/run/machines", "/var/lib/machines", "/usr/lib/machines"];

/**
 * The folder of `-D`, that of the machine that `-M` names, or the working folder.
 * @throws BrigError BRIG_BAD_OPTION as systemd-nspawn says it
 */
export function findTree(options: NspawnOptions, context: NspawnContext): Tree {
  const image = findImage(options, context);
  if (image !== undefined) return openImage(options, context, image);
  const asked = options.directory ?? (options.machine === undefined ? context.cwd : findMachineFolder(options.machine));
  const path = resolvePath(resolve(context.cwd, asked));
  if (path === "/" && !options.ephemeral) throw refuseWords("Spawning container on root directory is not supported. Consider using --ephemeral.");
  checkTree(options, context, path);
  return { path, name: options.machine ?? nameMachine(options, context, path) };
}

/** The file of `--image=`, or of the machine that `-M` alone names. */
function findImage({ image, machine, directory }: NspawnOptions, { cwd }: NspawnContext): string | undefined {
  if (image !== undefined) return resolve(cwd, image);
  if (directory !== undefined || machine === undefined) return undefined;
  if (IMAGE_FOLDERS.some((folder) => statSync(`${folder}/${machine}`, { throwIfNoEntry: false })?.isDirectory())) return undefined;
  return IMAGE_FOLDERS.map((folder) => `${folder}/${machine}.raw`).find((path) => existsSync(path));
}

/** A file system that somebody else made is mounted by the host's kernel: that is root's to decide. */
function openImage(options: NspawnOptions, context: NspawnContext, file: string): Tree {
  if (context.host.euid !== 0) throw refuseWords("Only root can mount an image.", "unpack it into a folder: brig machinectl import-raw, or unsquashfs");
  const path = resolvePath(file);
  context.consulted.add(path);
  const name = options.machine ?? cleanHostname(basename(path).replace(/\.(raw|squashfs|img)$/, "")).replace(/^[^A-Za-z0-9]+/, "");
  if (name === "") throw refuseWords("Failed to determine machine name automatically, please use -M.");
  return { path, name, image: readImage(path) };
}

function findMachineFolder(machine: string): string {
  const found = IMAGE_FOLDERS.map((folder) => `${folder}/${machine}`).find((path) => existsSync(path));
  if (found === undefined) throw refuseWords(`No image for machine '${machine}'.`, `-D names its folder; else it is looked for in ${IMAGE_FOLDERS.join(", ")}`);
  return found;
}

function resolvePath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT" ? "No such file or directory" : (error as Error).message;
    throw refuseWords(`Failed to resolve path ${path}: ${missing}`, "brig rootfs debootstrap makes a Debian root");
  }
}

/** Not just any folder: one where a mistyped path would let a program loose is refused. */
function checkTree(options: NspawnOptions, context: NspawnContext, path: string): void {
  if (!statSync(path).isDirectory()) throw refuseWords(`${path} is not a directory.`, "--image= starts from a disk image");
  context.consulted.add(path);
  if (options.mode === "boot" && !options.pivotRoot) {
    const release = ["/etc/os-release", "/usr/lib/os-release"].map((file) => resolveInRoot(path, file)).some((file) => file !== undefined && existsSync(file));
    if (!release) throw refuseWords(`Directory ${path} doesn't look like an OS root directory (os-release file is missing). Refusing.`);
  } else if (!existsSync(`${path}/usr`)) throw refuseWords(`Directory ${path} doesn't look like it has an OS tree (/usr/ directory is missing). Refusing.`);
}

/** As systemd-nspawn names it: by its folder; of the host's own root, by the host. A throw-away one gets a name of its own. */
function nameMachine(options: NspawnOptions, context: NspawnContext, path: string): string {
  const name = cleanHostname(path === "/" ? context.hostname : basename(path)).replace(/^[^A-Za-z0-9]+/, "");
  if (name === "" || !isHostname(name)) throw refuseWords("Failed to determine machine name automatically, please use -M.");
  if (!options.ephemeral) return name;
  const hash = makeHash();
  addBytes(hash, Buffer.from(`${process.pid} ${process.hrtime.bigint()}`));
  return `${name.slice(0, 46)}-${formatHash(hash)}`;
}

/** The machine's own /etc/machine-id, as 32 hex digits. */
export function readMachineId(context: NspawnContext, tree: Tree): string | undefined {
  const place = tree.image ? undefined : resolveInRoot(tree.path, "/etc/machine-id");
  const own = place === undefined ? undefined : context.read(place)?.trim();
  return own !== undefined && /^[0-9a-f]{32}$/.test(own) && !/^0+$/.test(own) ? own : undefined;
}

/** Stable for a machine on this host, unless its own /etc/machine-id or --uuid= says another. */
export function decideUuid(options: NspawnOptions, context: NspawnContext, tree: Tree): string {
  if (options.uuid !== undefined) return options.uuid;
  const own = readMachineId(context, tree);
  if (own !== undefined) return formatUuid(own);
  const digits = ["a", "b"].map((salt) => {
    const hash = makeHash();
    addBytes(hash, Buffer.from([salt, context.machineId, tree.name, tree.path].join("\0")));
    return formatHash(hash);
  }).join("");
  // version 4, variant 1 (RFC 9562)
  return formatUuid(`${digits.slice(0, 12)}4${digits.slice(13, 16)}8${digits.slice(17)}`);
}

/** Whether something is mounted below the tree: then it is bound with all of that. */
export function hasMountsBelow(context: NspawnContext, path: string): boolean {
  return context.mounts.some(({ point }) => point !== path && isBeneath(point, path));
}
