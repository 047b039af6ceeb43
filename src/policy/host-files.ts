import { existsSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { BrigError } from "../error/brig-error.js";
import { isBeneath } from "../host/mountinfo.js";
import { followInRoot } from "../host/read-in-root.js";
import { describeOrigin } from "../spec/origin.js";
import { addMount, byDefault, consultFile, type Draft, originOfOption } from "./draft.js";

const FILES = { resolvConf: "/etc/resolv.conf", timezone: "/etc/localtime" } as const;

/** The host's resolv.conf and time zone in a named root, as asked for; or because there is a network. */
export function bindHostFiles(draft: Draft, why: "asked" | "network"): void {
  const { resolvConf = "auto", timezone = "off", root } = draft.options;
  if (root === undefined) return refuseWithoutRoot(draft);
  if (why === "network" ? resolvConf === "auto" : resolvConf === "bind") bindHostFile(draft, "resolvConf", why);
  if (why === "asked" && timezone === "bind") bindHostFile(draft, "timezone", why);
}

/** Over the file that the root's own links lead to; where nothing is, only a private place can be given one. */
function bindHostFile(draft: Draft, key: keyof typeof FILES, why: "asked" | "network"): void {
  const path = FILES[key];
  const origin = why === "asked" ? originOfOption(draft, `/${key}`) : byDefault("names are looked up where the host does");
  if (!existsSync(consultFile(draft, path))) {
    if (why === "network") return;
    throw new BrigError(`this host has no ${path}`, { code: "BRIG_BAD_VALUE", origin: describeOrigin(origin), hint: "leave the option out" });
  }
  const root = draft.root.path ?? "/";
  const { place, there } = followInRoot(root, path);
  for (const each of [path, place]) consultFile(draft, join(root, each));
  const isOwn = draft.mounts.some(({ destination, type }) => type === "tmpfs" && isBeneath(place, destination));
  if (!there && !isOwn && draft.root.readonly) {
    const hint = `touch ${root}${place} makes a place for it${why === "network" ? ", --resolv-conf off goes without" : ""}`;
    throw new BrigError(`the root has no ${place} to show the host's ${path} at`, { code: "BRIG_BAD_VALUE", origin: describeOrigin(origin), hint });
  }
  addMount(draft, { destination: place, type: "bind", source: realpathSync.native(path), options: ["bind", "ro", "nosuid", "nodev", "noexec"] }, origin);
}

function refuseWithoutRoot(draft: Draft): void {
  for (const key of ["resolvConf", "timezone"] as const) {
    if (draft.options[key] === undefined) continue;
    throw new BrigError(`the host's ${FILES[key]} is shown already`, { code: "BRIG_BAD_VALUE", origin: describeOrigin(originOfOption(draft, `/${key}`)), hint: "this is for a root of its own: --root DIR" });
  }
}
