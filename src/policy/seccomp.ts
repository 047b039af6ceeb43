import { readFileSync } from "node:fs";
import { BrigError } from "../error/brig-error.js";
import { defaultSeccomp } from "../plan/seccomp/default.js";
import type { Seccomp } from "../spec/oci.js";
import { describeOrigin } from "../spec/origin.js";
import { consultFile, type Draft, originOfOption, originOrDefault } from "./draft.js";
import { resolveHostPath } from "./host-path.js";

/** The filter: brig's allow-list, the same for programs that make sandboxes of their own, none, or an OCI document. */
export function setSeccomp(draft: Draft): void {
  const { seccomp = "default" } = draft.options;
  draft.origins["/linux/seccomp"] = originOrDefault(draft, "seccomp", "what unprivileged programs need");
  if (seccomp === "none") return;
  draft.linux.seccomp = seccomp === "default" || seccomp === "nested" ? chooseDefault(draft, seccomp === "nested") : readDocument(draft, seccomp);
}

/**
 * Started by root, files in writable folders belong to the host's root: a setuid bit on one would be a way out for
 * whoever finds it later.
 */
function chooseDefault(draft: Draft, nestedNamespaces: boolean): Seccomp {
  if (nestedNamespaces) draft.notes.push("the payload may make namespaces and mounts within its own: more of the kernel can be reached");
  const capabilities = new Set(draft.process.capabilities?.bounding ?? []);
  const compat = draft.linux.personality?.domain === "LINUX32";
  return defaultSeccomp({ capabilities, setuidFiles: draft.context.host.euid !== 0, nestedNamespaces, compat });
}

function readDocument(draft: Draft, file: string): Seccomp {
  const path = consultFile(draft, resolveHostPath(draft, file, "seccomp"));
  try {
    const document = JSON.parse(readFileSync(path, "utf8")) as Seccomp;
    if (typeof document.defaultAction === "string") return document;
    throw new Error("it has no defaultAction");
  } catch (error) {
    throw new BrigError(`cannot use ${path} as a seccomp filter: ${(error as Error).message}`, {
      code: "BRIG_BAD_SECCOMP",
      origin: describeOrigin(originOfOption(draft, "/seccomp")),
      hint: "it holds the object that stands at linux.seccomp in an OCI config.json",
      cause: error,
    });
  }
}
