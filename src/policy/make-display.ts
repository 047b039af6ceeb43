import { hostname } from "node:os";
import { findHostDisplay, type HostDisplay, type NoDisplay } from "../display/host-display.js";
import { listServerWords, parseScreenSize, SERVER_FOLDER, type ServerKind, SERVERS } from "../display/server-words.js";
import { BrigError } from "../error/brig-error.js";
import { DISPLAY_COOKIES, DISPLAY_SOCKETS, type Display } from "../spec/extension.js";
import type { Mount, Spec } from "../spec/oci.js";
import type { PolicyContext } from "./context.js";
import type { SandboxOptions } from "./options.js";

export const DEFAULT_SCREEN = "1280x800";

/** What a front-end wants of a display. */
export interface WantedDisplay {
  /** "auto": the host's where there is one, else a server with a screen in memory. */
  kind: "auto" | "host" | ServerKind;
  /** "1280x800". */
  size?: string | undefined;
  /** Where the payload finds its cookie. */
  folder: string;
  /** Who asked for it, and for its size. */
  origin?: string | undefined;
  sizeOrigin?: string | undefined;
}

/** `buildSpec`, for the sandbox that an X server is in. */
export type Build = (options: SandboxOptions, command: readonly string[], context: PolicyContext) => Spec;

/**
 * The display, with the sandbox of its server.
 * @throws BrigError BRIG_NO_DISPLAY, BRIG_NO_X_SERVER, BRIG_BAD_VALUE
 */
export function makeDisplay(wanted: WantedDisplay, context: PolicyContext, build: Build): Display {
  const host = findHostDisplay({ DISPLAY: consult(context, "DISPLAY"), XAUTHORITY: consult(context, "XAUTHORITY") }, context.home);
  if ("socket" in host) context.consulted?.files.add(host.socket);
  const kind = wanted.kind === "auto" ? ("socket" in host ? "host" : "xvfb") : wanted.kind;
  const { folder } = wanted;
  if (kind === "xvfb") return { folder, server: makeServer(wanted, kind, undefined, context, build) };
  const there = requireDisplay(wanted, host);
  if (kind === "xephyr") return { folder, server: makeServer(wanted, kind, there, context, build), host: there };
  if (wanted.size === undefined) return { folder, host: there };
  throw new BrigError("the host's display has its own size", { code: "BRIG_BAD_VALUE", origin: wanted.sizeOrigin, hint: "--x11=xephyr or --x11=xvfb makes one of this size" });
}

function consult({ consulted, env }: PolicyContext, name: string): string | undefined {
  consulted?.env.add(name);
  return env[name];
}

function requireDisplay({ origin }: WantedDisplay, host: HostDisplay | NoDisplay): HostDisplay {
  if ("socket" in host) return host;
  throw new BrigError(`there is no display for it on this host: ${host.why}`, { code: "BRIG_NO_DISPLAY", origin, hint: "--x11=xvfb gives it a screen in memory" });
}

/** The X server stands outside of the payload's sandbox, and because it reads what the payload sends in one of its own. */
function makeServer({ size = DEFAULT_SCREEN, origin, sizeOrigin }: WantedDisplay, kind: ServerKind, host: HostDisplay | undefined, context: PolicyContext, build: Build): Spec {
  const { program, debian } = SERVERS[kind];
  const path = context.host.hasTool(program);
  if (path === undefined) throw new BrigError(`${program} is not installed`, { code: "BRIG_NO_X_SERVER", origin, hint: `apt-get install ${debian}` });
  const screen = parseScreenSize(size);
  if (!screen) throw new BrigError(`${JSON.stringify(size)} is no size of a screen`, { code: "BRIG_BAD_VALUE", origin: sizeOrigin, hint: `WIDTHxHEIGHT in pixels, such as ${DEFAULT_SCREEN}` });
  context.consulted?.files.add(path);
  const options: SandboxOptions = {
    project: "none", memory: "none", pids: "none", tty: "never", rlimits: ["core=0", "as=8g"], dieWithParent: true,
    // a cookie for the host's display is found by the host's name
    ...(host ? { hostname: hostname(), env: { DISPLAY: `:${host.number}`, XAUTHORITY: `${SERVER_FOLDER}/host` } } : {}),
  };
  const { origins: _, ...rest } = context;
  const spec = build(options, [path, ...listServerWords(kind, screen)], { ...rest, cwd: "/" });
  return { ...spec, mounts: [...(spec.mounts ?? []), ...mountFolders(host)], annotations: { ...spec.annotations, "dev.brig.keepFds": "[3]" } };
}

function mountFolders(host: HostDisplay | undefined): Mount[] {
  const options = ["bind", "nosuid", "nodev", "noexec"];
  const own: Mount[] = [
    { destination: "/tmp/.X11-unix", type: "bind", source: DISPLAY_SOCKETS, options },
    { destination: SERVER_FOLDER, type: "bind", source: DISPLAY_COOKIES, options: [...options, "ro"] },
  ];
  return host ? [...own, { destination: host.socket, type: "bind", source: host.socket, options }] : own;
}
