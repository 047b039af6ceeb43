import { hostname } from "node:os";
import { BrigError } from "../error/brig-error.js";
import { readText } from "../host/read-text.js";
import { findHostDisplay, type HostDisplay } from "../display/host-display.js";
import { listServerWords, parseScreenSize, SERVER_FOLDER, type ServerKind, SERVERS } from "../display/server-words.js";
import { DISPLAY_COOKIES, DISPLAY_NUMBER, DISPLAY_SOCKETS, type Display } from "../spec/extension.js";
import type { Mount, Spec } from "../spec/oci.js";
import { describeOrigin } from "../spec/origin.js";
import type { PolicyContext } from "./context.js";
import { consultEnv, consultFile, type Draft, originOfOption } from "./draft.js";
import type { SandboxOptions } from "./options.js";

/** The payload's folder with its cookie. */
const CLIENT_FOLDER = "/run/brig-display";
const DEFAULT_SIZE = "1280x800";

type Build = (options: SandboxOptions, command: readonly string[], context: PolicyContext) => Spec;

/** `x11`: a display whose cookie nobody else has. The variables that lead to another one go. */
export function setDisplay(draft: Draft, build: Build): void {
  const { x11, x11Size } = draft.options;
  if (x11Size !== undefined && (x11 === undefined || x11 === "none" || x11 === false)) throw refuse(draft, "/x11Size", "BRIG_BAD_VALUE", "a screen's size says nothing without a server of its own", "add --x11=xvfb");
  if (x11 === undefined) return;
  draft.origins["/annotations/dev.brig.display"] = originOfOption(draft, "/x11");
  draft.process.env = draft.process.env?.filter((entry) => !/^(DISPLAY|XAUTHORITY)=/.test(entry)) ?? [];
  if (x11 === "none" || x11 === false) return checkHidden(draft);
  const host = findHostDisplay({ DISPLAY: consultEnv(draft, "DISPLAY"), XAUTHORITY: consultEnv(draft, "XAUTHORITY") }, draft.context.home);
  if ("socket" in host) consultFile(draft, host.socket);
  const kind = x11 === true || x11 === "auto" ? ("socket" in host ? "host" : "xvfb") : x11;
  draft.extension.display = { folder: CLIENT_FOLDER, ...chooseDisplay(draft, kind, host, build) };
  draft.process.env.push(`DISPLAY=:${DISPLAY_NUMBER}`, `XAUTHORITY=${CLIENT_FOLDER}/Xauthority`);
}

function chooseDisplay(draft: Draft, kind: "host" | ServerKind, host: ReturnType<typeof findHostDisplay>, build: Build): Omit<Display, "folder"> {
  if (kind === "xvfb") return { server: makeServer(draft, kind, undefined, build) };
  if (!("socket" in host)) throw refuse(draft, "/x11", "BRIG_NO_DISPLAY", `there is no display for it on this host: ${host.why}`, "--x11=xvfb gives it a screen in memory");
  if (kind === "xephyr") return { server: makeServer(draft, kind, host, build), host };
  if (draft.options.x11Size !== undefined) throw refuse(draft, "/x11Size", "BRIG_BAD_VALUE", "the host's display has its own size", "--x11=xephyr or --x11=xvfb makes one of this size");
  draft.notes.push("the payload has windows on the host's display, as a client that the X server does not trust: it reads the titles and places of other windows, but not what is in them, nor their keys, and cannot type into them");
  return { host };
}

/** The X server stands outside of the payload's sandbox, and because it reads what the payload sends in one of its own. */
function makeServer(draft: Draft, kind: ServerKind, host: HostDisplay | undefined, build: Build): Spec {
  const { program, debian } = SERVERS[kind];
  const path = draft.context.host.hasTool(program);
  if (path === undefined) throw refuse(draft, "/x11", "BRIG_NO_X_SERVER", `${program} is not installed`, `apt-get install ${debian}`);
  const size = parseScreenSize(draft.options.x11Size ?? DEFAULT_SIZE);
  if (!size) throw refuse(draft, "/x11Size", "BRIG_BAD_VALUE", `${JSON.stringify(draft.options.x11Size)} is no size of a screen`, `WIDTHxHEIGHT in pixels, such as ${DEFAULT_SIZE}`);
  const options: SandboxOptions = {
    project: "none", memory: "none", pids: "none", tty: "never", rlimits: ["core=0", "as=8g"], dieWithParent: true,
    // a cookie for the host's display is found by the host's name
    ...(host ? { hostname: hostname(), env: { DISPLAY: `:${host.number}`, XAUTHORITY: `${SERVER_FOLDER}/host` } } : {}),
  };
  const { origins: _, ...context } = draft.context;
  const spec = build(options, [consultFile(draft, path), ...listServerWords(kind, size)], { ...context, cwd: "/" });
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

/** Abstract sockets belong to the network namespace. */
function checkHidden(draft: Draft): void {
  const sees = draft.extension.network?.mode === "host" && draft.extension.landlock === undefined;
  if (sees && (readText("/proc/net/unix") ?? "").includes(" @/tmp/.X11-unix/"))
    throw refuse(draft, "/x11", "BRIG_CANNOT_HIDE_X11", "the X server also listens on an abstract socket, which belongs to the network that the sandbox shares", "leave --net host or --landlock none out, or start the X server with -nolisten local");
}

function refuse(draft: Draft, pointer: string, code: string, message: string, hint: string): BrigError {
  return new BrigError(message, { code, hint, origin: describeOrigin(originOfOption(draft, pointer)) });
}
