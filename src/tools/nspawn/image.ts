import { closeSync, openSync, readSync, statSync } from "node:fs";
import { refuseWords } from "./values.js";

/** Where in an image its root file system is. */
export interface Image {
  /** As the kernel calls it: "ext4". */
  type: string;
  /** Bytes. 0 as size: to the end. */
  offset: number;
  size: number;
}

const SECTOR = 512;

/** Root partitions by their type, of the machines that this one can run (uapi-group.org, Discoverable Partitions). */
const ROOT_TYPES: Record<string, string> = {
  x64: "4f68bce3-e8cd-4db1-96e7-fbcaf984b709",
  ia32: "44479540-f297-41b2-9af7-d131d5f0458a",
  arm64: "b921b045-1df0-41c3-af44-4c6f280d3fae",
  arm: "69dad710-2ce4-4e3c-b16c-21a1d49abed3",
};
const LINUX_DATA = "0fc63daf-8483-4772-8e79-3d69d8477de4";

/** What a file system begins with: at which byte, which bytes. */
const MAGICS: [type: string, at: number, bytes: number[]][] = [
  ["squashfs", 0, [0x68, 0x73, 0x71, 0x73]],
  ["xfs", 0, [0x58, 0x46, 0x53, 0x42]],
  ["ext4", 0x438, [0x53, 0xef]],
  ["erofs", 1024, [0xe2, 0xe1, 0xf5, 0xe0]],
  ["btrfs", 0x10040, [0x5f, 0x42, 0x48, 0x52, 0x66, 0x53, 0x5f, 0x4d]],
];

/**
 * Finds the root in an image: the image is a file system; or it has a partition of the type for that, or just one that
 * could be it. Everything in it is taken for hostile: it is read here, and parsed by no program of the host.
 * @throws BrigError BRIG_BAD_OPTION
 */
export function readImage(path: string): Image {
  const fd = open(path);
  try {
    const read = (at: number, size: number): Buffer => readAt(fd, at, size);
    const whole = findType(read, 0);
    if (whole !== undefined) return { type: whole, offset: 0, size: 0 };
    const partition = choosePartition(read, path);
    const type = findType(read, partition.offset);
    if (type === undefined) throw refuseWords(`${path}: its root partition has no file system that brig knows`, MAGICS.map(([name]) => name).join(", "));
    return { type, ...partition };
  } finally {
    closeSync(fd);
  }
}

type Read = (at: number, size: number) => Buffer;

function open(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw refuseWords(`Failed to resolve path ${path}: No such file or directory`);
  if (!stat.isFile() && !stat.isBlockDevice()) throw refuseWords(`${path} is neither a disk image nor a block device.`, "--directory= starts from a folder");
  return openSync(path, "r");
}

function readAt(fd: number, at: number, size: number): Buffer {
  const buffer = Buffer.alloc(size);
  readSync(fd, buffer, 0, size, at);
  return buffer;
}

function findType(read: Read, offset: number): string | undefined {
  return MAGICS.find(([, at, bytes]) => read(offset + at, bytes.length).equals(Buffer.from(bytes)))?.[0];
}

interface Partition {
  offset: number;
  size: number;
}

function choosePartition(read: Read, path: string): Partition {
  const boot = read(0, SECTOR);
  if (boot.readUInt16LE(510) !== 0xaa55) throw refuseWords(`${path} has neither a file system nor partitions.`, "--image= takes raw and squashfs images");
  const gpt = read(SECTOR, SECTOR);
  const [found, what] = gpt.toString("latin1", 0, 8) === "EFI PART" ? [listGpt(read, gpt), "GPT"] : [listMbr(boot), "MBR"];
  if (found.length === 1) return found[0]!;
  throw refuseWords(found.length === 0 ? `${path} has no partition that could be its root (${what}).` : `${path} has ${found.length} partitions that could be its root (${what}).`, "one of the root type of this machine, or a single Linux one (systemd-nspawn(1), --image=)");
}

function listGpt(read: Read, header: Buffer): Partition[] {
  const start = Number(header.readBigUInt64LE(72)) * SECTOR;
  const count = Math.min(header.readUInt32LE(80), 1024);
  const width = header.readUInt32LE(84);
  if (width < 128 || width > 4096) return [];
  const entries = Array.from({ length: count }, (_, index) => read(start + index * width, 128)).map((entry) => ({
    type: formatGuid(entry),
    offset: Number(entry.readBigUInt64LE(32)) * SECTOR,
    size: (Number(entry.readBigUInt64LE(40)) - Number(entry.readBigUInt64LE(32)) + 1) * SECTOR,
  }));
  const own = [process.arch, { x64: "ia32", arm64: "arm" }[process.arch as "x64" | "arm64"] ?? ""];
  for (const arch of own) {
    const roots = entries.filter(({ type }) => type === ROOT_TYPES[arch]);
    if (roots.length > 0) return [strip(roots[0]!)];
  }
  return entries.filter(({ type }) => type === LINUX_DATA).map(strip);
}

function strip({ offset, size }: Partition): Partition {
  return { offset, size };
}

/** The first three fields are little-endian (UEFI, appendix A). */
function formatGuid(entry: Buffer): string {
  const hex = (from: number, to: number, swap: boolean): string => {
    const part = Buffer.from(entry.subarray(from, to));
    return (swap ? part.reverse() : part).toString("hex");
  };
  return [hex(0, 4, true), hex(4, 6, true), hex(6, 8, true), hex(8, 10, false), hex(10, 16, false)].join("-");
}

const MBR_LINUX = 0x83;

function listMbr(boot: Buffer): Partition[] {
  return [0, 1, 2, 3].flatMap((index) => {
    const at = 446 + index * 16;
    if (boot[at + 4] !== MBR_LINUX) return [];
    return [{ offset: boot.readUInt32LE(at + 8) * SECTOR, size: boot.readUInt32LE(at + 12) * SECTOR }];
  });
}
