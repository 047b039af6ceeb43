import { closeSync, openSync, readSync } from "node:fs";
import { resolveInRoot } from "../host/read-in-root.js";
import { consultFile, type Draft, originOfOption } from "./draft.js";

/** 32-bit machines whose programs a 64-bit kernel runs, by Node's name of the host's architecture (elf.h EM_*). */
const COMPAT: Record<string, number> = { x64: 3 /* EM_386 */, arm64: 40 /* EM_ARM */ };

/**
 * A named root of 32-bit programs, told by its shell, needs a filter that lets their system calls through, and uname(2)
 * tells them of a 32-bit machine (personality(2)).
 */
export function setMachine(draft: Draft): void {
  if (draft.options.root === undefined) return;
  const shell = resolveInRoot(consultFile(draft, draft.root.path), "bin/sh");
  if (shell === undefined || !isCompat(consultFile(draft, shell))) return;
  draft.linux.personality = { domain: "LINUX32" };
  draft.origins["/linux/personality"] = originOfOption(draft, "/root");
  draft.notes.push("the root's programs are 32-bit ones: the filter lets the kernel's 32-bit system calls through, an older and less tested way into it");
}

/** ELFCLASS32, little-endian, and that machine. */
function isCompat(path: string): boolean {
  const head = Buffer.alloc(20);
  try {
    const fd = openSync(path, "r");
    try {
      readSync(fd, head, 0, head.length, 0);
    } finally {
      closeSync(fd);
    }
  } catch {
    return false;
  }
  return head.readUInt32BE(0) === 0x7f454c46 && head[4] === 1 && head[5] === 1 && head.readUInt16LE(18) === COMPAT[process.arch];
}
