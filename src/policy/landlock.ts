import { type Draft, originOrDefault } from "./draft.js";

/**
 * A second wall behind the mounts: reading and executing anywhere in the sandbox's root, writing only where the policy
 * says so, and abstract sockets and signals only within. TCP is left to the network namespace, whose loopback the
 * payload may use.
 */
export function setLandlock(draft: Draft): void {
  const { landlock = "auto" } = draft.options;
  if (landlock === "none") return;
  const write = draft.writable.includes("/") ? ["/"] : [...new Set(draft.writable)];
  draft.extension.landlock = { read: ["/"], execute: ["/"], write, scopes: ["abstract-unix-socket", "signal"] };
  if (landlock === "auto") draft.extension.landlock.optional = true;
  draft.origins["/annotations/dev.brig.landlock"] = originOrDefault(draft, "landlock", "where the kernel has it");
}
