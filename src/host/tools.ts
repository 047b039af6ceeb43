import { accessSync, constants, statSync } from "node:fs";
import { join } from "node:path";

/** Where programs of the system are looked for beyond PATH: an ordinary user's often lacks the sbin folders. */
const SYSTEM_FOLDERS = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/**
 * The path of a program: looked up in `path` (as the shell does), then in the system's folders. A relative entry of
 * PATH is passed over, so that what lies in the working folder is never run for a tool of the host.
 */
export function findTool(name: string, path = process.env["PATH"] ?? "", root = "/"): string | undefined {
  const folders = [...path.split(":").filter((folder) => folder.startsWith("/")), ...SYSTEM_FOLDERS];
  return folders.map((folder) => join(folder, name)).find((file) => isProgram(join(root, file)));
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
