import { DISPLAY_NUMBER, type Display } from "../spec/extension.js";
import type { KnownSocket } from "./posture.js";

const FOLDER = "/tmp/.X11-unix/";

/** The sockets, with a display of the sandbox's in the place of what a socket of X would be otherwise. */
export function withDisplay(sockets: KnownSocket[], display: Display | undefined): KnownSocket[] {
  if (!display) return sockets;
  const own = "X11, an X server of its own: no windows but those of the sandbox";
  const hosts = "X11, as a client that the server does not trust: the clipboard, titles and places of other windows, not their keys and pictures";
  const shown: KnownSocket = { path: `${FOLDER}X${DISPLAY_NUMBER}`, what: display.server ? own : hosts, narrow: true };
  return [...sockets.filter(({ path }) => !path.startsWith(FOLDER)), shown];
}
