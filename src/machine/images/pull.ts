import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createWriteStream, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { nameDraft, removeStaleDrafts } from "./draft.js";
import { imageError } from "./image-error.js";
import { importRaw, type ImportOptions, importTar } from "./import.js";
import { openPool } from "./pool.js";

export interface PullOptions extends ImportOptions {
  /** "checksum": by URL.sha256 or SHA256SUMS beside it; "signature": that is signed with a key of the host's keyring too. */
  verify: "no" | "checksum" | "signature";
  /** Told now and then; 0 to 1. */
  onProgress?: (part: number) => void;
}

/** Where systemd's tools look for the keys of who may sign images, the administrator's first. */
const KEYRINGS = ["/etc/systemd/import-pubring.gpg", "/usr/lib/systemd/import-pubring.gpg"];
const SUMS_MAX = 1 << 20;

/** Downloads an image over HTTP or HTTPS, verifies it, and imports it; nothing of it is looked at before. */
export async function pullImage(kind: "tar" | "raw", url: string, name: string, options: PullOptions): Promise<void> {
  const pool = openPool();
  await removeStaleDrafts(pool);
  const sums = options.verify === "no" ? undefined : await fetchSums(url, options.verify === "signature");
  const file = nameDraft(pool, `${name}.download`);
  try {
    const digest = await download(url, file, options.onProgress);
    if (sums !== undefined && sums !== digest) throw imageError("DOWNLOAD INVALID: Checksum of the downloaded file did not checksum", "BRIG_BAD_CHECKSUM", `it is ${digest}, and should be ${sums}`);
    await (kind === "tar" ? importTar : importRaw)(file, name, options);
  } finally {
    rmSync(file, { force: true });
  }
}

/** @throws BrigError BRIG_BAD_URL in machinectl's words */
export function requireUrl(text: string): string {
  const valid = URL.canParse(text) && ["http:", "https:"].includes(new URL(text).protocol);
  if (!valid) throw imageError(`URL '${text}' is not valid.`, "BRIG_BAD_URL", "http://… or https://…");
  return text;
}

async function download(url: string, file: string, onProgress: PullOptions["onProgress"]): Promise<string> {
  const response = await open(url);
  const total = Number(response.headers.get("content-length") ?? 0);
  const hash = createHash("sha256");
  let done = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      hash.update(chunk);
      done += chunk.length;
      if (total > 0) onProgress?.(done / total);
      next(null, chunk);
    },
  });
  await pipeline(Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]), count, createWriteStream(file, { flags: "wx", mode: 0o600 }));
  return hash.digest("hex");
}

async function open(url: string): Promise<Response> {
  const response = await fetch(url).catch((error: Error) => {
    const { cause } = error as { cause?: Error };
    throw imageError(`Transfer failed: ${cause?.message ?? error.message}`, "BRIG_TRANSFER_FAILED");
  });
  if (!response.ok || !response.body) throw imageError(`HTTP request to ${url} failed with code ${response.status}.`, "BRIG_TRANSFER_FAILED");
  return response;
}

/** The image's SHA-256 as the server tells it, in hexadecimal. @throws BrigError when it cannot be known, or nobody signed it */
async function fetchSums(url: string, signed: boolean): Promise<string> {
  const name = decodeURIComponent(new URL(url).pathname.split("/").at(-1) ?? "");
  const own = await fetchSmall(new URL(`${new URL(url).pathname}.sha256`, url).href);
  const text = own ?? (await fetchSmall(new URL("SHA256SUMS", url).href));
  if (text === undefined) throw imageError("Failed to retrieve SHA256 checksum, cannot verify.", "BRIG_NO_CHECKSUM", "--verify=no trusts the server and the way to it");
  const content = signed ? await verifySignature(text, own === undefined ? await fetchSmall(new URL("SHA256SUMS.gpg", url).href) : undefined) : text;
  for (const line of content.toString("utf8").split("\n")) {
    const match = /^([0-9a-fA-F]{64}) [ *](.+)$/.exec(line.trim());
    if (match?.[2] === name) return match[1]!.toLowerCase();
  }
  throw imageError(`DOWNLOAD INVALID: Checksum of ${name} file not found in checksum file.`, "BRIG_NO_CHECKSUM");
}

async function fetchSmall(url: string): Promise<Buffer | undefined> {
  const response = await fetch(url).catch(() => undefined);
  if (!response?.ok || !response.body) return undefined;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > SUMS_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** What is signed in the file itself, or by a file beside it. */
async function verifySignature(content: Buffer, signature: Buffer | undefined): Promise<Buffer> {
  const keyring = KEYRINGS.find((file) => existsSync(file));
  if (keyring === undefined) throw imageError("there is no keyring of who may sign images", "BRIG_NO_KEYRING", `put one at ${KEYRINGS[0]}, or take --verify=checksum`);
  const folder = mkdtempSync(join(tmpdir(), "brig-pull-"));
  try {
    const [sums, detached] = [join(folder, "sums"), join(folder, "sums.gpg")];
    writeFileSync(sums, content);
    if (signature !== undefined) writeFileSync(detached, signature);
    const words = signature === undefined ? ["--output", "-", sums] : [detached, sums];
    const { status, stdout, error } = spawnSync("gpgv", ["--quiet", "--keyring", keyring, ...words], { maxBuffer: 2 * SUMS_MAX });
    if (error) throw imageError("gpgv is missing, which verifies signatures", "BRIG_NO_TOOL", "apt-get install gpgv, or take --verify=checksum");
    if (status !== 0) throw imageError("DOWNLOAD INVALID: Signature verification failed.", "BRIG_BAD_SIGNATURE");
    return signature === undefined ? stdout : content;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
