import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { parse as parseToml, TomlError } from "smol-toml";
import { BrigError } from "../error/brig-error.js";

const MAX_BYTES = 1 << 20;

/** @throws BrigError BRIG_BAD_PROFILE, always */
export function refuseProfile(message: string, hint: string, cause?: unknown): never {
  throw new BrigError(message, { code: "BRIG_BAD_PROFILE", hint, cause });
}

/**
 * A profile's text, and what tells its file from every other one. It may be a pipe (`--profile <(generate)`).
 *
 * @param asker "FILE:LINE" of the `extends` that names it
 */
export function readProfileText(file: string, asker: string | undefined): { text: string; identity: string } {
  const { bytes, identity } = readBytes(file, asker);
  if (bytes.length > MAX_BYTES) refuseProfile(`${file}: a profile of more than 1 MiB`, "name a TOML or JSON file");
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), identity };
  } catch (cause) {
    return refuseProfile(`${file}: not UTF-8 text`, "name a TOML or JSON file", cause);
  }
}

/** One byte more than MAX_BYTES at most, so that a device that never ends does. */
function readBytes(file: string, asker: string | undefined): { bytes: Buffer; identity: string } {
  let fd: number | undefined;
  try {
    fd = openSync(file, "r");
    const { dev, ino } = fstatSync(fd, { bigint: true });
    const buffer = Buffer.alloc(MAX_BYTES + 1);
    let size = 0;
    for (let got = -1; got !== 0 && size < buffer.length; size += got) got = readSync(fd, buffer, size, buffer.length - size, null);
    return { bytes: buffer.subarray(0, size), identity: `${dev}:${ino}` };
  } catch (cause) {
    return refuseProfile(`${asker ? `${asker}: ` : ""}cannot read the profile ${file}: ${explainErrno(cause)}`, "name a TOML or JSON file that you may read", cause);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** JSON when the file's name ends with ".json" or the text begins with "{", which no TOML does; else TOML. */
export function parseProfileText(file: string, text: string): { document: unknown; format: "toml" | "json" } {
  if (file.endsWith(".json") || text.trimStart().startsWith("{")) return { document: parseJson(file, text), format: "json" };
  return { document: parseTomlText(file, text), format: "toml" };
}

function parseTomlText(file: string, text: string): unknown {
  try {
    return parseToml(text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const [what = "not TOML"] = cause.message.replace("Invalid TOML document: ", "").split("\n");
    refuseProfile(`${file}:${cause.line}:${cause.column}: ${what}`, "a profile is TOML, or JSON in a file that ends with .json", cause);
  }
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const position = /position (\d+)/.exec(String(cause))?.[1];
    const line = position === undefined ? "" : `:${text.slice(0, Number(position)).split("\n").length}`;
    refuseProfile(`${file}${line}: not JSON: ${(cause as Error).message}`, "JSON has no comments and no comma behind the last item", cause);
  }
}

function explainErrno(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
  const words: Record<string, string> = { ENOENT: "No such file or directory", EACCES: "Permission denied", EISDIR: "Is a directory", ELOOP: "Too many levels of symbolic links", ENOTDIR: "Not a directory" };
  return words[code] ?? code;
}
