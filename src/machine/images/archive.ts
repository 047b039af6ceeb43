import { readSync } from "node:fs";
import { imageError } from "./image-error.js";

export type Compression = "uncompressed" | "xz" | "gzip" | "bzip2" | "zstd";

const MAGIC: [Compression, number[]][] = [
  ["gzip", [0x1f, 0x8b]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
];
const QCOW2 = [0x51, 0x46, 0x49, 0xfb];

/** The programs that (un)compress; they read standard input and write standard output. */
export const PROGRAMS: Record<Exclude<Compression, "uncompressed">, string> = { gzip: "gzip", xz: "xz", bzip2: "bzip2", zstd: "zstd" };

/** By the first bytes, whatever the name says. */
export function detectCompression(fd: number): Compression {
  const head = readHead(fd);
  return MAGIC.find(([, magic]) => magic.every((byte, index) => head[index] === byte))?.[0] ?? "uncompressed";
}

/** @throws BrigError BRIG_NOT_SUPPORTED: an image of QEMU's is none of bytes as they are on the disk */
export function refuseQcow2(fd: number): void {
  const head = readHead(fd);
  if (QCOW2.every((byte, index) => head[index] === byte))
    throw imageError("a qcow2 image cannot be started as it is", "BRIG_NOT_SUPPORTED", "qemu-img convert -O raw IMAGE.qcow2 IMAGE.raw, then import-raw that");
}

function readHead(fd: number): Buffer {
  const head = Buffer.alloc(6);
  readSync(fd, head, 0, head.length, 0);
  return head;
}

/** By a file's name: ".gz", ".xz", ".bz2", ".zst". */
export function compressionOf(path: string): Compression {
  const suffix = /\.(gz|tgz|xz|bz2|zst)$/.exec(path)?.[1] ?? "";
  return ({ gz: "gzip", tgz: "gzip", xz: "xz", bz2: "bzip2", zst: "zstd" } as const)[suffix] ?? "uncompressed";
}
