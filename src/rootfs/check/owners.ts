import type { LookedAt, RootFinding } from "./check-root.js";

/** What belongs to root in every Debian root. */
const ROOTS_OWN = ["/", "/etc", "/usr", "/etc/passwd"];

/** A root that was made in a user namespace has shifted owners: its root is somebody else outside. */
export function findOwners({ dir, root }: LookedAt): RootFinding[] {
  const owners = ROOTS_OWN.flatMap((path) => {
    const stat = root.resolve(path)?.stat;
    return stat ? [{ path, uid: stat.uid }] : [];
  });
  const top = owners[0]?.uid ?? 0;
  const euid = process.geteuid?.() ?? 0;
  const odd = owners.find(({ uid }) => uid !== top);
  if (odd) return [{ weight: "missing", path: odd.path, what: `belongs to uid ${odd.uid}, and / to uid ${top}: owners are shifted for a part of the root`, fix: "copy it anew with its owners kept (brig clone), or chown that part" }];
  if (top === 0 || top === euid) return [];
  const what = `everything is shifted by ${top}: root in it is uid ${top} outside`;
  return [{ weight: "missing", path: "/", what, fix: `enter it as user ${top}, or in a user namespace: brig unshare --user --map-users=${top},0,65536 --map-groups=${top},0,65536 -S 0 -G 0 --root ${dir} /bin/sh` }];
}
