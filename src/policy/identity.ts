import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BrigError } from "../error/brig-error.js";
import { resolveInRoot } from "../host/read-in-root.js";
import { describeOrigin } from "../spec/origin.js";
import { byDefault, consultFile, type Draft, originOfOption, originOrDefault } from "./draft.js";
import { parseUser } from "./parse/user.js";

/**
 * The first host id of the range that a sandbox started by root maps to its ids 0-65535. It lies in a range that nobody
 * hands out: above systemd's containers (they end at 0x6fffffff) and what /etc/subuid begins with (100000), below
 * systemd's foreign ids (0x7ffe0000) and 2^31, from which on some programs see negative numbers.
 */
export const MAPPED_BASE = 0x7272_0000;
export const MAPPED_COUNT = 65_536;

/** User namespace, id maps and the payload's user. */
export function setIdentity(draft: Draft): void {
  const { options, context } = draft;
  const { euid, egid } = context.host;
  const shared = options.share?.includes("user") ?? false;
  draft.mapped = euid === 0 && !shared;
  draft.hostRoot = shared;
  const caller = draft.mapped ? { uid: 0, gid: 0 } : { uid: euid, gid: egid };
  const user = options.user === undefined ? caller : findUser(draft, options.user, caller.gid);
  draft.process.user = { ...user };
  draft.origins["/process/user"] = originOrDefault(draft, "user", "the payload is who started it");
  if (shared) return;
  if (!draft.mapped) return mapOne(draft, user);
  draft.linux.uidMappings = [{ containerID: 0, hostID: MAPPED_BASE, size: MAPPED_COUNT }];
  draft.linux.gidMappings = [{ containerID: 0, hostID: MAPPED_BASE, size: MAPPED_COUNT }];
  noteMaps(draft, "started by root, the payload is nobody on the host (--share user opens it)");
}

/** An ordinary user's sandbox: one id, which is the caller's own outside. Groups cannot be set, only kept. */
function mapOne(draft: Draft, inside: { uid: number; gid: number }): void {
  const { euid, egid } = draft.context.host;
  draft.linux.uidMappings = [{ containerID: inside.uid, hostID: euid, size: 1 }];
  draft.linux.gidMappings = [{ containerID: inside.gid, hostID: egid, size: 1 }];
  noteMaps(draft, "an ordinary user can map only the own id");
}

function noteMaps(draft: Draft, why: string): void {
  draft.origins["/linux/uidMappings"] = byDefault(why);
  draft.origins["/linux/gidMappings"] = byDefault(why);
}

function findUser(draft: Draft, value: string, callerGid: number): { uid: number; gid: number } {
  const { user, group } = parseUser(value, "user");
  const account = readAccount(draft, "passwd", user);
  const uid = typeof user === "number" ? user : account?.[2];
  const gid = typeof group === "number" ? group : group === undefined ? (account?.[3] ?? callerGid) : readAccount(draft, "group", group)?.[2];
  if (uid === undefined || gid === undefined) throw refuseUser(draft, uid === undefined ? "user" : "group", value);
  return { uid: Number(uid), gid: Number(gid) };
}

/** A line of passwd(5) or group(5) of the root that the payload will have, split; found by name or id. */
function readAccount(draft: Draft, file: string, key: string | number): string[] | undefined {
  const root = draft.options.root ?? "/";
  const path = consultFile(draft, resolveInRoot(root, `etc/${file}`) ?? join(root, "etc", file));
  const lines = readLines(path).map((line) => line.split(":"));
  return lines.find((fields) => (typeof key === "number" ? Number(fields[2]) === key : fields[0] === key));
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n");
  } catch {
    return [];
  }
}

function refuseUser(draft: Draft, what: string, value: string): BrigError {
  const hint = "a number works always: --user 1000:1000";
  const origin = describeOrigin(originOfOption(draft, "/user"));
  return new BrigError(`the sandbox's root knows no ${what} in ${JSON.stringify(value)}`, { code: "BRIG_NO_SUCH_USER", hint, origin });
}
