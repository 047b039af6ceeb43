import { lack, put, type UnitDraft } from "./draft.js";
import { listWritableBinds } from "./write-mounts.js";

/** Who the payload is, and what rights it has. */
export function writeIdentity(draft: UnitDraft): void {
  const { spec, extension } = draft;
  const user = spec.process?.user ?? { uid: 0, gid: 0 };
  const mapped = spec.linux?.namespaces?.some(({ type, path }) => type === "user" && path === undefined) ?? false;
  if (!mapped) putUser(draft, user);
  else writeMapped(draft, user);
  if (user.additionalGids?.length) put(draft, "SupplementaryGroups", user.additionalGids.join(" "));
  if (user.umask !== undefined) put(draft, "UMask", user.umask.toString(8).padStart(4, "0"));
  writeRights(draft);
  if (extension.nestedUsers) lack(draft, "/process/user", "a user namespace within another");
  if (extension.setgroups) lack(draft, "/linux/gidMappings", "setgroups(2) decided by hand");
}

function putUser(draft: UnitDraft, { uid, gid }: { uid: number; gid: number }, comment?: string): void {
  const [user, group] = [draft.facts.accounts.userById(uid), draft.facts.accounts.groupById(gid)];
  if (!user || !group) return lack(draft, "/process/user", `the ids ${uid}:${gid}, which no account has`);
  put(draft, "User", user.name, comment);
  put(draft, "Group", group.name);
}

/**
 * brig gives such a payload ids that nobody has, and maps the owners of what it may write. systemd's counterpart is a
 * dynamic user, but it maps no owners: then the payload is who owns those files.
 */
function writeMapped(draft: UnitDraft, user: { uid: number; gid: number }): void {
  const { uidMappings = [], gidMappings = [] } = draft.spec.linux ?? {};
  const [uids, gids] = [uidMappings[0], gidMappings[0]];
  put(draft, "PrivateUsers", "yes");
  if (uidMappings.length > 1 || gidMappings.length > 1) return lack(draft, "/linux/uidMappings", "several ranges of mapped ids");
  // an ordinary user's sandbox: who asked for it, outside
  if (uids?.size === 1) return putUser(draft, { uid: uids.hostID, gid: gids?.hostID ?? uids.hostID });
  if (user.uid !== 0) return lack(draft, "/process/user", `user ${user.uid} of a range of mapped ids`);
  const owners = listWritableBinds(draft).map(({ mount, index }) => ({ index, path: mount.source ?? "", owner: draft.facts.ownerOf(mount.source ?? "") }));
  const [first] = owners;
  if (!first) return put(draft, "DynamicUser", "yes");
  for (const { index, path, owner } of owners) {
    if (!owner || owner.uid === 0) return lack(draft, `/mounts/${index}`, `writing to ${path}, which belongs to root, without being root: only mapped mounts allow that`);
    if (owner.uid !== first.owner?.uid) return lack(draft, `/mounts/${index}`, `writing to folders of several owners (${path})`);
  }
  putUser(draft, first.owner!, `who owns ${first.path}`);
}

function writeRights(draft: UnitDraft): void {
  const { capabilities, noNewPrivileges, selinuxLabel, apparmorProfile } = draft.spec.process ?? {};
  put(draft, "CapabilityBoundingSet", (capabilities?.bounding ?? []).join(" "));
  put(draft, "AmbientCapabilities", (capabilities?.ambient ?? []).join(" "));
  if (noNewPrivileges) put(draft, "NoNewPrivileges", "yes");
  if (apparmorProfile !== undefined) put(draft, "AppArmorProfile", apparmorProfile);
  if (selinuxLabel !== undefined) put(draft, "SELinuxContext", selinuxLabel);
  if (draft.extension.securebits !== undefined) lack(draft, "/annotations/dev.brig.securebits", "securebits by number");
}
