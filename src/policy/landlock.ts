import { type Draft, originOrDefault } from "./draft.js";

/**
 * A second wall behind the mounts: reading and executing anywhere in the sandbox's root, writing only where the policy
 * says so, and abstract sockets and signals only within. TCP is left to the network namespace, whose loopback the
 * payload may use.
 */
export function setLandlock(draft: Draft): void {
  const { landlock = "auto" } = draft.options;
  const mounts = draft.process.capabilities?.bounding?.includes("CAP_SYS_ADMIN") ?? false;
  if (mounts && landlock === "none") draft.notes.push("with CAP_SYS_ADMIN and without Landlock the payload can mount anew what is shown read-only, and write what its user may write there");
  if (landlock === "none") return;
  const write = draft.writable.includes("/") ? ["/"] : [...new Set(draft.writable)];
  draft.extension.landlock = { read: ["/"], execute: ["/"], write, scopes: ["abstract-unix-socket", "signal"] };
  // whoever may mount could undo the read-only mounts: then this is the only wall, and no second one
  if (landlock === "auto" && !mounts) draft.extension.landlock.optional = true;
  draft.origins["/annotations/dev.brig.landlock"] = originOrDefault(draft, "landlock", "where the kernel has it");
}
