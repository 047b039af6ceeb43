import { DISPLAY_NUMBER } from "../spec/extension.js";

export type ServerKind = "xvfb" | "xephyr";

/** The X servers that can be started for one sandbox, and the Debian package of each. */
export const SERVERS: Record<ServerKind, { program: string; debian: string }> = {
  xvfb: { program: "Xvfb", debian: "xvfb" },
  xephyr: { program: "Xephyr", debian: "xserver-xephyr" },
};

/** Where the server finds its cookies. */
export const SERVER_FOLDER = "/run/brig-display";

/** "1280x800" in pixels; X servers take sides of up to 32767. */
export function parseScreenSize(text: string): { width: number; height: number } | undefined {
  const match = /^([1-9]\d{0,4})x([1-9]\d{0,4})$/.exec(text);
  const [width, height] = [Number(match?.[1]), Number(match?.[2])];
  return match && width <= 32_767 && height <= 32_767 ? { width, height } : undefined;
}

/**
 * The server's command line (Xserver(1), Xvfb(1), Xephyr(1)). It has no TCP; its abstract socket is in a network
 * namespace with nobody else. Shared memory cannot work across IPC namespaces, so that no client shall try.
 */
export function listServerWords(kind: ServerKind, size: { width: number; height: number }): string[] {
  const common = [`:${DISPLAY_NUMBER}`, "-displayfd", "3", "-auth", `${SERVER_FOLDER}/Xauthority`, "-nolisten", "tcp", "-noreset", "-extension", "MIT-SHM"];
  const screen = `${size.width}x${size.height}`;
  if (kind === "xvfb") return [...common, "-screen", "0", `${screen}x24`];
  return [...common, "-screen", screen, "-resizeable", "-title", "brig"];
}
