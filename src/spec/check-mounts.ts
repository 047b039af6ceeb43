import { checkMappings } from "./check-mappings.js";
import type { Problem } from "./describe-issues.js";
import type { Mount } from "./oci.js";

/** Options of which one mount can have one only (mount(8), OCI config.md "Linux mount options"). */
const CHOICES: readonly (readonly string[])[] = [
  ["ro", "rw"],
  ["rro", "rrw"],
  ["rro", "rw"],
  ["suid", "nosuid"],
  ["dev", "nodev"],
  ["exec", "noexec"],
  ["sync", "async"],
  ["atime", "noatime"],
  ["relatime", "norelatime"],
  ["strictatime", "nostrictatime"],
  ["noatime", "relatime", "strictatime"],
  ["diratime", "nodiratime"],
  ["iversion", "noiversion"],
  ["mand", "nomand"],
  ["silent", "loud"],
  ["symfollow", "nosymfollow"],
  ["private", "shared", "slave", "unbindable"],
  ["rprivate", "rshared", "rslave", "runbindable"],
  ["rsuid", "rnosuid"],
  ["rdev", "rnodev"],
  ["rexec", "rnoexec"],
  ["idmap", "ridmap"],
];

/** What the schema of `mounts` cannot see. */
export function checkMounts(mounts: readonly Mount[]): Problem[] {
  return mounts.flatMap((mount, index) => checkMount(mount).map(({ path, text }) => ({ path: ["mounts", index, ...path], text })));
}

function checkMount(mount: Mount): Problem[] {
  const problems = CHOICES.flatMap((choice) => findContradiction(mount.options ?? [], choice));
  const isBind = mount.type === "bind" || mount.options?.some((option) => option === "bind" || option === "rbind");
  if (isBind && !mount.source) problems.push({ path: ["source"], text: "is missing: a bind needs one" });
  if (!isBind && !mount.type) problems.push({ path: ["type"], text: 'is missing, and no option says "bind"' });
  return [...problems, ...checkMountMappings(mount)];
}

function findContradiction(options: readonly string[], choice: readonly string[]): Problem[] {
  const said = choice.filter((option) => options.includes(option));
  return said.length < 2 ? [] : [{ path: ["options"], text: `${said.join(" and ")} contradict each other` }];
}

/** config.md: both or none of them, in a new user namespace or not. */
function checkMountMappings({ uidMappings, gidMappings, options }: Mount): Problem[] {
  if (!uidMappings && !gidMappings) return [];
  const missing = uidMappings ? "gidMappings" : "uidMappings";
  if (!uidMappings || !gidMappings) return [{ path: [missing], text: "is missing: a mount has both mappings or none" }];
  const bound = options?.some((option) => option === "bind" || option === "rbind");
  return [
    ...(bound ? [] : [{ path: ["uidMappings"], text: "is for binds only" }]),
    ...checkMappings("uidMappings", uidMappings),
    ...checkMappings("gidMappings", gidMappings),
  ];
}
