import { readdirSync, readlinkSync } from "node:fs";
import { readNumber, readText } from "../host/read-text.js";
import type { Posture } from "./posture.js";

/**
 * Whether a process sits at a terminal that somebody outside sits at too: its session's leader, or who else has the
 * same controlling terminal, is in another pid or mount namespace. Terminals can be typed into with TIOCSTI where
 * dev.tty.legacy_tiocsti is not 0 (ioctl_tty(2)).
 */
export function readTerminal(root: string, pid: number): Posture["terminal"] {
  const proc = `${root}proc/`;
  const injectable = readNumber(`${proc}sys/dev/tty/legacy_tiocsti`) !== 0;
  const terminal = readTerminalNumber(`${proc}${pid}`);
  if (!terminal) return { state: "none", injectable };
  const world = readWorld(`${proc}${pid}`);
  const outside = listPids(proc).some((other) => readTerminalNumber(`${proc}${other}`) === terminal && readWorld(`${proc}${other}`) !== world);
  return { state: outside || isOutermost(proc, pid) ? "shared" : "own", injectable };
}

/** Field 7 of /proc/PID/stat: the controlling terminal's device number, 0 for none. */
function readTerminalNumber(folder: string): number | undefined {
  const text = readText(`${folder}/stat`);
  return text === undefined ? undefined : Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[4]);
}

function readWorld(folder: string): string | undefined {
  try {
    return `${readlinkSync(`${folder}/ns/mnt`)} ${readlinkSync(`${folder}/ns/pid`)}`;
  } catch {
    return undefined;
  }
}

/** A process in no sandbox shares its terminal with all that its user runs there. */
function isOutermost(proc: string, pid: number): boolean {
  return readWorld(`${proc}${pid}`) === readWorld(`${proc}self`);
}

function listPids(proc: string): string[] {
  return readdirSync(proc).filter((name) => /^\d+$/.test(name));
}
