import { closeSync, constants, fchmodSync, openSync, readFileSync, writeSync } from "node:fs";
import { basename, dirname } from "node:path";
import { replace } from "./jail/place-file.js";
import { openJailFolder, openPath, reach } from "./jail/safe-folder.js";

/**
 * Puts a copy of a host's file at the same path of a root, in place of a file or link that is there. It appears whole;
 * no link of the root is followed.
 * @throws BrigError BRIG_JAIL_UNSAFE, BRIG_JAIL_WRITE; the error of node:fs when the host's cannot be read
 */
export function copyHostFile(root: string, path: string): void {
  const content = readFileSync(path);
  const top = openJailFolder(root);
  try {
    const folder = openPath(top, dirname(path));
    try {
      replace(folder, basename(path), (temporary) => writeFile(reach(folder, temporary), content));
    } finally {
      closeSync(folder.fd);
    }
  } finally {
    closeSync(top.fd);
  }
}

function writeFile(path: string, content: Buffer): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  try {
    writeSync(fd, content);
    fchmodSync(fd, 0o644);
  } finally {
    closeSync(fd);
  }
}
