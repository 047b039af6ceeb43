import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { RootEntry } from "../../spec/extension.js";
import type { NspawnOptions } from "./options.js";
import { refuseWords } from "./values.js";

/** As systemd has it (CREDENTIALS_TOTAL_SIZE_MAX). */
const MOST_BYTES = 1024 * 1024;

/**
 * A credential of a file; a name alone is one of those that a service manager gave this process.
 * @throws BrigError BRIG_BAD_OPTION
 */
export function readCredential(path: string, env: NodeJS.ProcessEnv = process.env): string {
  const folder = env["CREDENTIALS_DIRECTORY"];
  if (!path.startsWith("/") && folder === undefined) throw refuseWords(`Credential not available (no credentials passed at all): ${path}`, "give an absolute path");
  const file = path.startsWith("/") ? path : join(folder!, path);
  try {
    const content = readFileSync(file);
    if (content.length > MOST_BYTES) throw refuseWords(`Credential ${path} is larger than 1 MiB.`);
    return new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch (error) {
    if (error instanceof TypeError) throw refuseWords(`Credential ${path} is no text.`, "brig passes credentials in UTF-8; encode others, as in base64");
    if ((error as Error).name === "BrigError") throw error;
    throw refuseWords(`Failed to read credential '${path}': ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** Where a machine finds its credentials (systemd.io/CREDENTIALS), and the entries that put them there. */
export function planCredentials({ credentials }: NspawnOptions): { folder?: string; files: RootEntry[] } {
  if (credentials.length === 0) return { files: [] };
  const folder = "/run/host/credentials";
  const last = new Map(credentials.map(({ id, value }) => [id, value]));
  const files = [...last].map(([id, content]): RootEntry => ({ type: "file", path: `${folder}/${id}`, mode: 0o400, content }));
  return { folder, files: [{ type: "dir", path: folder, mode: 0o500 }, ...files] };
}
