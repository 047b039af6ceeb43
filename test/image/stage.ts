import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { Readable } from "node:stream";
import type { TestContext } from "node:test";
import { removeLayerFolder } from "../../src/image/layers/remove-layer.js";
import { type ImageStore, openImageStore } from "../../src/image/store/open.js";

export const checkout = resolve(import.meta.dirname, "../../..");
export const isRoot = process.getuid?.() === 0;

/** An empty store that is gone when the test is. */
export async function openStage(t: TestContext, parent = "/tmp"): Promise<{ store: ImageStore; folder: string }> {
  const folder = mkdtempSync(join(parent, "brig-image-test-"));
  t.after(async () => {
    for (const name of existsSync(join(folder, "data/layers/sha256")) ? readdirSync(join(folder, "data/layers/sha256")) : []) if (!name.endsWith(".lock")) await removeLayerFolder(join(folder, "data/layers/sha256", name));
    rmSync(folder, { recursive: true, force: true });
  });
  return { store: await openImageStore({ data: join(folder, "data") }), folder };
}

/** `brig WORDS…` on a store. */
export function runBrig(folder: string, words: string[], options: { input?: Buffer; env?: NodeJS.ProcessEnv } = {}): { status: number | null; stdout: string; stderr: string } {
  const env = { ...process.env, BRIG_DATA: join(folder, "data"), DOCKER_CONFIG: join(folder, "docker"), ...options.env };
  return spawnSync(join(checkout, "dist/brig"), words, { encoding: "utf8", env, timeout: 60_000, ...(options.input ? { input: options.input } : {}) });
}

/** The same while this process goes on, as a server that it talks to. */
export async function runBrigMeanwhile(folder: string, words: string[], options: { input?: string; env?: NodeJS.ProcessEnv } = {}): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const env = { ...process.env, BRIG_DATA: join(folder, "data"), DOCKER_CONFIG: join(folder, "docker"), ...options.env };
  const child = spawn(join(checkout, "dist/brig"), words, { env, timeout: 60_000 });
  child.stdin.on("error", () => undefined).end(options.input ?? "");
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const [stdout, stderr, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { status, stdout, stderr };
}

export function has(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`], { env: { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` } }).status === 0;
}

/** An entry of a tar that a test makes byte by byte. */
export interface Entry {
  name: string;
  type?: string;
  data?: string | Buffer;
  link?: string;
  mode?: number;
  uid?: number;
  gid?: number;
  mtime?: number;
  major?: number;
  minor?: number;
  /** Records of an extended header that stands before it. */
  pax?: Record<string, string>;
  /** What the header says of the size, if not the truth. */
  size?: number;
}

const octal = (value: number, size: number): string => value.toString(8).padStart(size - 1, "0") + "\0";

function makeHeader({ name, type = "0", link = "", mode = 0o644, uid = 0, gid = 0, mtime = 1_700_000_000, major = 0, minor = 0, size }: Entry, length: number): Buffer {
  const header = Buffer.alloc(512);
  header.write(name.slice(0, 100), 0, "latin1");
  header.write(octal(mode, 8) + octal(uid, 8) + octal(gid, 8) + octal(size ?? length, 12) + octal(mtime, 12) + "        " + type, 100, "latin1");
  header.write(link.slice(0, 100), 157, "latin1");
  header.write("ustar\x0000", 257, "latin1");
  header.write(octal(major, 8) + octal(minor, 8), 329, "latin1");
  header.write(octal(header.reduce((sum, byte) => sum + byte, 0), 7) + "\0", 148, "latin1");
  return header;
}

function makePax(records: Record<string, string>): Buffer {
  const lines = Object.entries(records).map(([key, value]) => {
    const body = Buffer.byteLength(` ${key}=${value}\n`, "latin1");
    let length = body + String(body).length;
    if (body + String(length).length !== length) length++;
    return `${length} ${key}=${value}\n`;
  });
  return Buffer.from(lines.join(""), "latin1");
}

const padded = (data: Buffer): Buffer => Buffer.concat([data, Buffer.alloc((512 - (data.length % 512)) % 512)]);

export function makeTar(entries: readonly Entry[], { end = true } = {}): Buffer {
  const parts = entries.flatMap((entry) => {
    const data = Buffer.from(entry.data ?? "");
    const pax = entry.pax ? makePax(entry.pax) : undefined;
    return [...(pax ? [makeHeader({ name: "PaxHeaders/x", type: "x" }, pax.length), padded(pax)] : []), makeHeader(entry, data.length), padded(data)];
  });
  return Buffer.concat([...parts, ...(end ? [Buffer.alloc(1024)] : [])]);
}

export const streamOf = (bytes: Buffer): Readable => Readable.from([bytes]);
export const readAll = async (stream: Readable): Promise<Buffer> => await buffer(stream);
