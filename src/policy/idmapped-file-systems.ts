import type { HostFacts } from "../host/facts.js";
import { isAtLeast } from "../host/landlock.js";

/** The first kernel on which mounts of a file system can be idmapped (FS_ALLOW_IDMAP in fs/TYPE). */
const SINCE: Record<string, readonly [number, number]> = {
  ext4: [5, 12],
  ext3: [5, 12],
  ext2: [5, 12],
  vfat: [5, 12],
  xfs: [5, 12],
  btrfs: [5, 15],
  ntfs3: [5, 15],
  f2fs: [5, 18],
  erofs: [5, 19],
  squashfs: [6, 2],
  tmpfs: [6, 3],
  ramfs: [6, 3],
  ceph: [6, 7],
  hugetlbfs: [6, 9],
  bcachefs: [6, 10],
  zfs: [5, 12],
};

/** Whether mounts of this type can be idmapped (mount_setattr(2), MOUNT_ATTR_IDMAP) on the host's kernel. */
export function canIdmap(type: string, host: Pick<HostFacts, "kernel">): boolean {
  const since = SINCE[type];
  return since !== undefined && isAtLeast(host.kernel, since);
}
