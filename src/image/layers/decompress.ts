import { spawn } from "node:child_process";
import { closeSync, openSync, readSync } from "node:fs";
import { Duplex, PassThrough } from "node:stream";
import * as zlib from "node:zlib";
import { findTool } from "../../host/tools.js";
import { imageError } from "../image-error.js";

export type Compression = "none" | "gzip" | "zstd" | "bzip2" | "xz";

const MAGIC: [Compression, number[]][] = [
  ["gzip", [0x1f, 0x8b]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]],
];
const PACKAGES = { zstd: "zstd", bzip2: "bzip2", xz: "xz-utils" };

/** By the first bytes, as docker does: media types are often wrong. */
export function detectCompression(bytes: Uint8Array): Compression {
  return MAGIC.find(([, magic]) => magic.every((byte, index) => bytes[index] === byte))?.[0] ?? "none";
}

export function detectFileCompression(path: string): Compression {
  const file = openSync(path, "r");
  try {
    const head = Buffer.alloc(8);
    return detectCompression(head.subarray(0, readSync(file, head)));
  } finally {
    closeSync(file);
  }
}

/**
 * Makes a stream that decompresses. Gzip is Node's own; zstd too where Node has it (22.15); others are programs of the
 * host, which see nothing but the bytes.
 *
 * @throws BrigError BRIG_NO_TOOL
 */
export function makeDecompressor(compression: Compression): Duplex {
  if (compression === "none") return new PassThrough({ highWaterMark: 1 << 20 });
  if (compression === "gzip") return zlib.createGunzip({ chunkSize: 1 << 18 });
  const { createZstdDecompress } = zlib as { createZstdDecompress?: () => Duplex };
  if (compression === "zstd" && createZstdDecompress) return createZstdDecompress();
  return runDecompressor(compression);
}

function runDecompressor(name: "zstd" | "bzip2" | "xz"): Duplex {
  const program = findTool(name);
  if (program === undefined) throw imageError("BRIG_NO_TOOL", `the layer is compressed with ${name}, and that program is missing`, `apt-get install ${PACKAGES[name]}`);
  const child = spawn(program, ["-dc"], { stdio: ["pipe", "pipe", "ignore"], cwd: "/", env: {} });
  const stream = Duplex.from({ writable: child.stdin, readable: child.stdout });
  stream.on("close", () => void child.kill("SIGKILL"));
  child.on("error", (error) => stream.destroy(error));
  child.on("exit", (code) => {
    if (code !== 0 && !stream.destroyed) stream.destroy(imageError("BRIG_BAD_LAYER", `the layer is no ${name} stream, or cut`));
  });
  return stream;
}
