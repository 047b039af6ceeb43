import { statSync } from "node:fs";
import { join } from "node:path";

/** A display of this host that can be shown by its socket. */
export interface HostDisplay {
  socket: string;
  number: number;
  /** The file with the caller's cookies (Xauthority(5)), where there is one. */
  cookies?: string;
}

/** Why DISPLAY names none. */
export interface NoDisplay {
  why: string;
}

/**
 * The display that DISPLAY names (X(7)): ":0", ":0.1", "unix:0". One that is reached by TCP, as ssh's forwarded ones, has
 * no socket that could be shown.
 */
export function findHostDisplay(env: { DISPLAY?: string | undefined; XAUTHORITY?: string | undefined }, home: string): HostDisplay | NoDisplay {
  const { DISPLAY: name, XAUTHORITY: named } = env;
  if (!name) return { why: "DISPLAY is not set" };
  const match = /^(?:unix)?:(\d{1,5})(?:\.\d+)?$/.exec(name);
  if (!match) return { why: `DISPLAY is ${JSON.stringify(name)}, which is no display of this host` };
  const number = Number(match[1]);
  const socket = `/tmp/.X11-unix/X${number}`;
  if (!isSocket(socket)) return { why: `DISPLAY is ${name}, and there is no socket ${socket}` };
  const cookies = named || join(home, ".Xauthority");
  return { socket, number, ...(cookies.startsWith("/") && exists(cookies) ? { cookies } : {}) };
}

function isSocket(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;
}

function exists(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
