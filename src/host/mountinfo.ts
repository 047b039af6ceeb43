/** One line of /proc/PID/mountinfo (proc_pid_mountinfo(5)). */
export interface MountEntry {
  id: number;
  parent: number;
  /** "major:minor" of the file system: the same on every mount of it, in every mount namespace. */
  device: string;
  /** The folder of the file system that is mounted. */
  root: string;
  point: string;
  options: string[];
  type: string;
  source: string;
  superOptions: string[];
}

/** The mounts in a mountinfo file, in its order: a later one at the same point covers an earlier one. */
export function parseMountinfo(text: string): MountEntry[] {
  return text.split("\n").flatMap((line) => parseLine(line) ?? []);
}

function parseLine(line: string): MountEntry | undefined {
  const dash = line.indexOf(" - ");
  if (dash < 0) return undefined;
  const [id, parent, device, root, point, options] = line.slice(0, dash).split(" ");
  const [type, source, superOptions] = line.slice(dash + 3).split(" ");
  if (options === undefined || point === undefined || root === undefined) return undefined;
  return {
    id: Number(id),
    parent: Number(parent),
    device: device ?? "",
    root: unescapeOctal(root),
    point: unescapeOctal(point),
    options: options.split(","),
    type: type ?? "",
    source: unescapeOctal(source ?? ""),
    superOptions: (superOptions ?? "").split(","),
  };
}

/** The kernel writes space, tab, newline and backslash in paths as \ooo. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

/** Whether writes reach the file system: neither the mount nor what is mounted is read-only. */
export function isWritableMount(mount: MountEntry): boolean {
  return mount.options.includes("rw") && mount.superOptions.includes("rw");
}

/**
 * The mount that a path lies on: from the root down, at each step into what is mounted on the way, so that mounts
 * which a later one covers are not found. The path is absolute, without links and "..".
 */
export function resolveMount(mounts: readonly MountEntry[], path: string): MountEntry | undefined {
  const ids = new Set(mounts.map((mount) => mount.id));
  let current = mounts.find((mount) => mount.point === "/" && (!ids.has(mount.parent) || mount.parent === mount.id));
  for (let steps = 0; current && steps < mounts.length; steps++) {
    const next = findNext(mounts, current, path);
    if (!next) break;
    current = next;
  }
  return current;
}

/** The mount on `current` that the way to `path` meets first. */
function findNext(mounts: readonly MountEntry[], current: MountEntry, path: string): MountEntry | undefined {
  let next: MountEntry | undefined;
  for (const mount of mounts)
    if (mount.parent === current.id && mount.id !== current.id && isBeneath(path, mount.point) && mount.point.length <= (next?.point.length ?? Infinity))
      next = mount;
  return next;
}

/** Whether a path is this folder or lies in it. Both absolute, without "..". */
export function isBeneath(path: string, folder: string): boolean {
  return folder === "/" || path === folder || path.startsWith(`${folder}/`);
}
