import { fstatSync } from "node:fs";

/** Majors of terminals in the kernel's admin-guide/devices.txt: consoles, /dev/tty, pseudo-terminals, serial lines. */
const TERMINAL_MAJORS = new Set([4, 5, 136, 137, 138, 139, 140, 141, 142, 143, 166, 188, 204, 229]);

/** As isatty(3), without `node:tty`, which takes 2-4 ms to load: that is a tenth of a whole `brig run`. */
export function isTerminal(descriptor: number): boolean {
  try {
    const stat = fstatSync(descriptor);
    return stat.isCharacterDevice() && TERMINAL_MAJORS.has(readMajor(stat.rdev));
  } catch {
    return false;
  }
}

/** Bits 8-19 of a dev_t hold the major (makedev(3)); the higher ones lie beyond what terminals use. */
function readMajor(device: number): number {
  return Math.floor(device / 256) % 4096;
}
