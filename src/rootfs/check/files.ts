import { readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { parseMountinfo, resolveMount } from "../../host/mountinfo.js";
import { readText } from "../../host/read-text.js";
import type { LookedAt, RootFinding } from "./check-root.js";

/** Folders that are mounted on when a root is entered. */
const FOLDERS = ["/proc", "/sys", "/dev", "/run", "/tmp"];

/** Folders, accounts, links and mounts. */
export function findFiles(looked: LookedAt): RootFinding[] {
  return [...findFolders(looked), ...findTmp(looked), ...findAccounts(looked), ...findLinks(looked), ...findMounts(looked)];
}

function findFolders({ dir, root }: LookedAt): RootFinding[] {
  return FOLDERS.filter((path) => !root.resolve(path)?.stat.isDirectory()).map((path) => ({
    weight: "missing", path, what: "no folder to mount on", fix: `mkdir ${join(dir, path)}; brig run --root and brig chroot --hardened make it in memory`,
  }));
}

/** Everybody may make files in /tmp, and nobody remove another's. */
function findTmp({ dir, root }: LookedAt): RootFinding[] {
  const mode = root.resolve("/tmp")?.stat.mode;
  if (mode === undefined || (mode & 0o7777) === 0o1777) return [];
  return [{ weight: "hint", path: "/tmp", what: `its mode is ${(mode & 0o7777).toString(8)}`, fix: `chmod 1777 ${join(dir, "tmp")}` }];
}

function findAccounts({ dir, root }: LookedAt): RootFinding[] {
  const found = root.resolve("/etc/passwd");
  const text = found?.stat.isFile() ? readText(found.host) : undefined;
  if (text === undefined) return [{ weight: "missing", path: "/etc/passwd", what: "no accounts: programs find no user's name or home", fix: `mkdir -p ${join(dir, "etc")}; echo root:x:0:0:root:/root:/bin/sh > ${join(dir, "etc/passwd")}` }];
  if (/^root:[^:]*:0:/m.test(text)) return [];
  return [{ weight: "missing", path: "/etc/passwd", what: "no account called root", fix: `put a line root:x:0:0:root:/root:/bin/sh into ${join(dir, "etc/passwd")}` }];
}

/** Links that lead nowhere in the root, though maybe on the host. */
function findLinks({ dir, root }: LookedAt): RootFinding[] {
  const links = { "/etc/resolv.conf": "names are not found: enter it with --resolv-conf bind", "/etc/localtime": "times are in UTC: enter it with --timezone bind" };
  return Object.entries(links).flatMap(([path, then]) => {
    const folder = root.resolve("/etc");
    const target = folder && readLink(join(folder.host, path.slice("/etc/".length)));
    if (target === undefined || root.resolve(path)) return [];
    const fix = `${then}, or replace the link: rm ${join(dir, path)}`;
    return [{ weight: path === "/etc/resolv.conf" ? "missing" as const : "hint" as const, path, what: `a link to ${target}, which is not in the root`, fix }];
  });
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function findMounts({ dir }: LookedAt): RootFinding[] {
  const mounts = parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8"));
  const on = resolveMount(mounts, dir);
  const below = mounts.filter(({ point }) => point.startsWith(`${dir}/`)).map(({ point }) => point.slice(dir.length));
  const found: RootFinding[] = below.length === 0 ? [] : [{ weight: "hint", path: below[0]!, what: `mounted on the host: ${below.join(", ")}`, fix: `umount -R ${join(dir, below[0]!)}` }];
  if (on?.options.includes("noexec")) found.push({ weight: "missing", path: "/", what: `${on.point} is mounted noexec: no program can start`, fix: `mount -o remount,exec ${on.point}` });
  return found;
}
