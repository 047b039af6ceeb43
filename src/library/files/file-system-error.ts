import { BrigError } from "../../error/brig-error.js";
import { describeErrno } from "../../error/errno.js";

/** A call on a sandbox's files failed. `code` is the kernel's ("ENOENT"), as with node:fs. */
export class FileSystemError extends BrigError {
  override name = "FileSystemError";

  constructor(
    code: string,
    readonly errno: number,
    readonly syscall: string,
    readonly path: string | undefined,
  ) {
    const where = path === undefined ? "" : ` ${JSON.stringify(path)}`;
    super(`${code}: ${describeErrno(errno).toLowerCase()}, ${syscall}${where} in the sandbox`, { code, hint: findHint(code) });
  }
}

function findHint(code: string): string | undefined {
  if (code === "EROFS") return "it is mounted read-only: name it in `write`, or use /tmp or the home";
  if (code === "EACCES") return "the payload could not do it either: `read` or `write` shows the sandbox more";
  if (code === "ELOOP") return "a loop of links, or a link into /proc, through which nothing is opened";
  return undefined;
}
