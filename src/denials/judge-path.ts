import { isBeneath } from "../host/mountinfo.js";
import type { Origin } from "../spec/extension.js";
import type { Access } from "./accesses.js";
import type { Finding } from "./denial.js";
import { findExisting, findReal, worksOnHost } from "./host-side.js";
import { findMask, findPlace, folderOf, type Inside, isKeptByLandlock, originAt, type Place, toHostPath } from "./inside.js";
import { showWord, wordToFill, wordToShow } from "./words.js";

const ENOENT = 2;
const EACCES = 13;
/** What the kernel answers differently to everybody who asks: a look from elsewhere tells nothing. */
const OWN = ["/proc", "/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/pts", "/dev/tty", "/dev/ptmx", "/dev/shm"];
const S_IFMT = 0o170000;
const FILE_TYPES = new Set([0o100000, 0o040000, 0o120000]);

/** Whether a wall keeps the payload from what it wants of a path, where nothing on the host would. */
export function judgePath(inside: Inside, access: Access): Finding | undefined {
  const { look } = access;
  const mask = findMask(inside, look.found || look.asked);
  if (mask !== undefined) return judgeMask(inside, access, mask);
  if (OWN.some((folder) => isBeneath(look.asked, folder)) || findReal(look.asked).startsWith("/proc/")) return undefined;
  const exists = look.error === 0 || (access.nofollow && look.what === "link");
  const finding = exists ? judgeExisting(inside, access) : judgeMissing(inside, access);
  return finding && works(inside, access) ? finding : undefined;
}

function works(inside: Inside, { look, want, nofollow, creates, owner = -1 }: Access): boolean {
  if (owner !== -1 && owner !== inside.euid && inside.euid !== 0) return false;
  return worksOnHost(toHostPath(inside, look.asked), want, { nofollow, creates });
}

function finding(access: Access, kind: Finding["kind"], rule: string, origin: Origin | undefined, allow: string | undefined, advice?: string): Finding {
  return { kind, what: access.look.asked, want: access.want, rule, ...(origin ? { origin } : {}), ...(allow ? { allow } : {}), ...(advice ? { advice } : {}) };
}

/** Nothing unmasks what is masked: by default only what nobody's payload has a use for is. */
function judgeMask(inside: Inside, access: Access, pointer: string): Finding | undefined {
  const origin = originAt(inside, pointer);
  if (access.want === "look" && access.look.error === 0) return undefined;
  if (!worksOnHost(access.look.asked, access.want, access)) return undefined;
  const path = showWord(findReal(access.look.asked), inside.hostHome);
  const advice = origin?.kind === "flag" || origin?.kind === "profile" ? `leave out ${origin.text}` : `no word opens it; --bind ${path}:/OTHER/PLACE:ro shows it at another place`;
  return finding(access, "masked", "it is masked", origin, undefined, advice);
}

function judgeMissing(inside: Inside, access: Access): Finding | undefined {
  const { look, want } = access;
  const makes = want === "create" || want === "replace" || access.creates;
  if (makes && look.error === ENOENT && look.what === "parent") return judgeFilling(inside, access, look.found, look.write);
  return judgeHidden(inside, access);
}

const WRITING = new Set(["write", "create", "remove", "replace", "change"]);

function judgeHidden(inside: Inside, access: Access): Finding {
  const { look, want } = access;
  const write = WRITING.has(want);
  const makes = want === "create" || want === "remove" || want === "replace" || (access.creates && findExisting(look.asked) !== look.asked);
  const allow = makes ? wordToShow(inside, findExisting(folderOf(look.asked)), true) : wordToShow(inside, look.asked, write);
  return finding(access, "hidden", ...explainHidden(inside, look.asked), allow);
}

/** What stands in a hidden file's place. */
function explainHidden(inside: Inside, path: string): [rule: string, origin: Origin | undefined] {
  const place = findPlace(inside, path);
  if (place.destination !== "/" && place.source !== undefined) return ["what is shown there lacks it", originAt(inside, place.pointer)];
  if (place.destination !== "/") return ["a folder of the sandbox's own is there", originAt(inside, place.pointer)];
  if (inside.spec.root?.path) return ["the root does not have it", originAt(inside, "/root")];
  if (isBeneath(path, inside.home)) return ["the home is private", { kind: "default", text: "the home is private" }];
  const folder = ["/tmp", "/var/tmp", "/run", "/var/run", "/dev"].find((each) => isBeneath(path, each));
  if (folder) return [`${folder} is the sandbox's own`, { kind: "default", text: `${folder} is the sandbox's own` }];
  return ["nothing shows it", originAt(inside, "/root")];
}

function judgeExisting(inside: Inside, access: Access): Finding | undefined {
  const { look, want } = access;
  if (want === "create" || want === "look") return undefined;
  if (want === "remove" || want === "replace") return judgeRemoving(inside, access);
  if (want === "read" || want === "execute" || want === "connect") return judgeReading(inside, access);
  if (!FILE_TYPES.has(look.mode & S_IFMT)) return undefined;
  const place = findPlace(inside, look.found);
  if (place.readonly) return judgeReadOnly(inside, access, place, wordToShow(inside, look.asked, true));
  if (want === "write" && isKeptByLandlock(inside, look.found)) return keptByLandlock(inside, access, wordToShow(inside, look.asked, true));
  return want === "write" && look.write === EACCES ? judgeIdentity(inside, access, place) : undefined;
}

function judgeReading(inside: Inside, access: Access): Finding | undefined {
  const { look, want } = access;
  const place = findPlace(inside, look.found);
  const error = want === "read" ? look.read : want === "execute" ? look.execute : look.write;
  if (error !== EACCES) return undefined;
  if (want === "execute" && place.noexec) {
    const tmpfs = place.source === undefined ? `--tmpfs ${showWord(place.destination, inside.hostHome)}:exec` : undefined;
    return finding(access, "no-exec", "nothing may be executed there", originAt(inside, place.pointer), tmpfs);
  }
  return judgeIdentity(inside, access, place);
}

function judgeRemoving(inside: Inside, access: Access): Finding | undefined {
  const { look } = access;
  const place = findPlace(inside, look.found);
  if (place.destination === look.found && look.found !== "/")
    return finding(access, "mount-point", "it is shown by itself, and so cannot be replaced or removed", originAt(inside, place.pointer), wordToFill(inside, look.asked));
  return judgeFilling(inside, access, folderOf(look.found || look.asked), 0);
}

/** Making or removing an entry of a folder inside. */
function judgeFilling(inside: Inside, access: Access, folder: string, error: number): Finding | undefined {
  const place = findPlace(inside, folder);
  if (place.readonly) return judgeReadOnly(inside, access, place, wordToFill(inside, access.look.asked));
  if (isKeptByLandlock(inside, folder)) return keptByLandlock(inside, access, access.want === "create" ? `--tmpfs ${showWord(access.look.asked, inside.hostHome)}` : undefined);
  return error === EACCES ? judgeIdentity(inside, access, place) : undefined;
}

function judgeReadOnly(inside: Inside, access: Access, place: Place, allow: string | undefined): Finding {
  const origin = originAt(inside, place.pointer);
  const isMoved = place.source !== undefined && place.source !== place.destination && place.destination !== "/";
  if (isMoved) return finding(access, "read-only", "its mount is read-only", origin, `--bind ${showWord(place.source!, inside.hostHome)}:${place.destination}`);
  if (place.destination === "/" && place.source !== undefined) return finding(access, "read-only", "the root is read-only", origin, "--write /");
  return finding(access, "read-only", "its mount is read-only", origin, allow);
}

function keptByLandlock(inside: Inside, access: Access, allow: string | undefined): Finding {
  return finding(access, "landlock", "Landlock lets the payload write only where something may be written", originAt(inside, "/annotations/dev.brig.landlock"), allow);
}

/** Started by root, the payload is nobody on the host, or root without the right to pass by permissions. */
function judgeIdentity(inside: Inside, access: Access, place: Place): Finding {
  const origin = originAt(inside, place.idmapped ? "/process/capabilities" : "/linux/uidMappings");
  const reads = access.want === "read" || access.want === "execute";
  if (place.idmapped) return finding(access, "identity", "its mode does not admit the payload's user", origin, `--cap-add ${reads ? "DAC_READ_SEARCH" : "DAC_OVERRIDE"}`);
  return finding(access, "identity", "the payload is nobody on the host", origin, "--share user");
}
