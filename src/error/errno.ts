import { getSystemErrorMap } from "node:util";

// Where libuv's words differ from the C library's (strerror(3)), which people know from other tools.
const words: Record<string, string> = {
  EEXIST: "File exists",
  EBUSY: "Device or resource busy",
  EXDEV: "Invalid cross-device link",
  ELOOP: "Too many levels of symbolic links",
  ENAMETOOLONG: "File name too long",
  ENOSYS: "Function not implemented",
  ENOMEM: "Cannot allocate memory",
  EAGAIN: "Resource temporarily unavailable",
  ENOTSUP: "Operation not supported",
  ENOTEMPTY: "Directory not empty",
  EISDIR: "Is a directory",
  EMFILE: "Too many open files",
  ENFILE: "Too many open files in system",
  ETXTBSY: "Text file busy",
  EFAULT: "Bad address",
  EIO: "Input/output error",
  EUSERS: "Too many users",
  ENOEXEC: "Exec format error",
};

/** What the C library says of an error: of a number (2, -2) or of an error of node:fs. "No such file or directory". */
export function describeErrno(error: number | NodeJS.ErrnoException): string {
  const number = typeof error === "number" ? error : (error.errno ?? 0);
  const [name, text] = getSystemErrorMap().get(-Math.abs(number)) ?? [nameWithoutLibuv(number), undefined];
  const known = words[name];
  if (known) return known;
  return text === undefined ? `Unknown error ${Math.abs(number)}` : text[0]!.toUpperCase() + text.slice(1);
}

// Errors that libuv has no name for.
function nameWithoutLibuv(number: number): string {
  return { 8: "ENOEXEC", 87: "EUSERS" }[Math.abs(number)] ?? "";
}
