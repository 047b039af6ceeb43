import { statSync } from "node:fs";
import { join } from "node:path";
import { BrigError } from "../error/brig-error.js";
import { canIdmap } from "./idmapped-file-systems.js";
import { parseMountinfo, resolveMount } from "../host/mountinfo.js";
import { readText } from "../host/read-text.js";
import { describeOrigin } from "../spec/origin.js";
import { addFile, addMount, consultEnv, consultFile, type Draft, originOfOption } from "./draft.js";

/** The payload's XDG_RUNTIME_DIR, with nothing in it but what was asked for. */
const RUNTIME = "/run/brig-desktop";

/** `wayland` and `audio`: the one socket of each server, not the folder with all the others. */
export function setDesktopSockets(draft: Draft): void {
  const { wayland, audio } = draft.options;
  if (!wayland && !audio) return;
  setVariable(draft, "XDG_RUNTIME_DIR", RUNTIME);
  const { uid = 0, gid = 0 } = draft.process.user ?? {};
  addFile(draft, { type: "dir", path: RUNTIME, mode: 0o700, uid, gid });
  if (wayland) showWayland(draft);
  if (audio) showAudio(draft);
}

function showWayland(draft: Draft): void {
  const name = consultEnv(draft, "WAYLAND_DISPLAY") || "wayland-0";
  const socket = findSocket(draft, name);
  if (socket === undefined) throw refuse(draft, "/wayland", "BRIG_NO_WAYLAND", `there is no Wayland compositor at ${JSON.stringify(name)}`, "WAYLAND_DISPLAY and XDG_RUNTIME_DIR say where its socket is; --x11 gives the payload an X server of its own");
  showFile(draft, socket, `${RUNTIME}/wayland-0`, "/wayland");
  setVariable(draft, "WAYLAND_DISPLAY", "wayland-0");
  draft.notes.push("the payload is a client of the Wayland compositor: it has its own windows, and the clipboard while one of them has the focus");
}

/** PulseAudio's socket and cookie (pulse-client.conf(5)), and PipeWire's socket. */
function showAudio(draft: Draft): void {
  const server = consultEnv(draft, "PULSE_SERVER");
  const pulse = server ? findSocket(draft, server.replace(/^(\{[^}]*\})?unix:/, "")) : findSocket(draft, "pulse/native");
  const pipewire = findSocket(draft, consultEnv(draft, "PIPEWIRE_REMOTE") || "pipewire-0", consultEnv(draft, "PIPEWIRE_RUNTIME_DIR"));
  if (pulse === undefined && pipewire === undefined) throw refuse(draft, "/audio", "BRIG_NO_AUDIO", "there is no socket of PulseAudio or PipeWire", "PULSE_SERVER and XDG_RUNTIME_DIR say where it is; a server that is reached by TCP needs --net");
  if (pulse !== undefined) showPulse(draft, pulse);
  if (pipewire !== undefined) {
    showFile(draft, pipewire, `${RUNTIME}/pipewire-0`, "/audio");
    setVariable(draft, "PIPEWIRE_REMOTE", "pipewire-0");
  }
  draft.notes.push("the payload is a client of the sound server: it can listen to the microphone and to what others play");
}

function showPulse(draft: Draft, socket: string): void {
  showFile(draft, socket, `${RUNTIME}/pulse/native`, "/audio");
  setVariable(draft, "PULSE_SERVER", `unix:${RUNTIME}/pulse/native`);
  const { home } = draft.context;
  const places = [consultEnv(draft, "PULSE_COOKIE"), join(home, ".config/pulse/cookie"), join(home, ".pulse-cookie")];
  const cookie = places.find((path) => path?.startsWith("/") && statSync(consultFile(draft, path), { throwIfNoEntry: false })?.isFile());
  if (cookie === undefined) return;
  showFile(draft, cookie, `${RUNTIME}/pulse/cookie`, "/audio");
  setVariable(draft, "PULSE_COOKIE", `${RUNTIME}/pulse/cookie`);
}

/** An absolute path, or a name in the caller's runtime folder. */
function findSocket(draft: Draft, name: string, folder?: string): string | undefined {
  const runtime = folder || consultEnv(draft, "XDG_RUNTIME_DIR");
  const path = name.startsWith("/") ? name : runtime?.startsWith("/") ? join(runtime, name) : undefined;
  if (path === undefined || name.split("/").includes("..")) return undefined;
  return isSocket(consultFile(draft, path)) ? path : undefined;
}

function isSocket(path: string): boolean {
  try {
    return statSync(path).isSocket();
  } catch {
    return false;
  }
}

/** Read-only: a client connects to a socket all the same. With mapped ids, as far as the file system knows of them. */
function showFile(draft: Draft, source: string, destination: string, pointer: string): void {
  const mapped = draft.mapped ? mapIds(draft, source, pointer) : {};
  addMount(draft, { destination, type: "bind", source, options: ["bind", "ro", "nosuid", "nodev", "noexec"], ...mapped }, originOfOption(draft, pointer));
  draft.visible.push({ source, destination });
}

function mapIds(draft: Draft, source: string, pointer: string) {
  const on = resolveMount(parseMountinfo(readText("/proc/self/mountinfo") ?? ""), source);
  const { uidMappings, gidMappings } = draft.linux;
  if (on && uidMappings && gidMappings && canIdmap(on.type, draft.context.host)) return { uidMappings, gidMappings };
  throw refuse(draft, pointer, "BRIG_CANNOT_IDMAP", `${source} cannot be shown with mapped ids: ${on?.type ?? "its file system"} knows none`, "start brig as the user who is logged in, or accept host ids with --share user");
}

function setVariable(draft: Draft, name: string, value: string): void {
  const others = draft.process.env?.filter((entry) => !entry.startsWith(`${name}=`)) ?? [];
  draft.process.env = [...others, `${name}=${value}`];
}

function refuse(draft: Draft, pointer: string, code: string, message: string, hint: string): BrigError {
  return new BrigError(message, { code, hint, origin: describeOrigin(originOfOption(draft, pointer)) });
}
