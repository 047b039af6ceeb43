import { writeExtension } from "../../spec/extension.js";
import type { Mount, Spec } from "../../spec/oci.js";
import { describeOrigin } from "../../spec/origin.js";
import { buildBase } from "./base.js";
import { applyDesktop, type BusProxy } from "./desktop.js";
import { applyDevices } from "./devices.js";
import { byFirejail, type Draft, hide, type JailContext } from "./draft.js";
import { applyFileRules } from "./hide.js";
import { applyIdentity } from "./identity.js";
import { applyLife } from "./life.js";
import { applyNetwork } from "./network.js";
import { refuseRule } from "./paths.js";
import { applyPrivate, expandShorthands, hideMedia } from "./private.js";
import { applyProgram } from "./program.js";
import { hasRule, type Rule } from "./rule.js";
import { applySeccomp } from "./seccomp.js";
import { View, renderMount } from "./view.js";
import { applyWhitelist } from "./whitelist.js";

/** A sandbox as the rules describe it, and what has to be done on the host for it. */
export interface JailSpec {
  spec: Spec;
  warnings: string[];
  /** Files that have to be there when it starts. */
  staged: Draft["staged"];
  proxies: BusProxy[];
}

/**
 * From Firejail's rules to an OCI runtime spec: the host's root with what the rules hide, show and change. Reads the
 * host's folders and changes nothing.
 * @throws BrigError BRIG_BAD_VALUE for a rule that makes no sense, BRIG_CANNOT_… for one that brig cannot enforce,
 *   BRIG_COMMAND_NOT_FOUND; each with the flag or the profile's line as its origin, and exit status 1 as Firejail has it
 */
export function buildFirejailSpec(given: readonly Rule[], command: readonly string[], context: JailContext): JailSpec {
  const rules = expandShorthands(given, context.places.home);
  refuseUnsupported(rules);
  const draft = startDraft(rules, context);
  buildBase(draft);
  applyPrivate(draft);
  applyWhitelist(draft);
  applyFileRules(draft);
  for (const path of hideMedia(draft)) draft.context.folders.exists(path);
  showImage(draft);
  applyDevices(draft);
  applyLife(draft);
  applyDesktop(draft);
  applyNetwork(draft);
  applySeccomp(draft);
  applyIdentity(draft);
  applyProgram(draft, command);
  return { spec: finishSpec(draft), warnings: draft.warnings, staged: draft.staged, proxies: draft.proxies };
}

function startDraft(rules: readonly Rule[], context: JailContext): Draft {
  const ipc = hasRule(rules, "ipc-namespace") ? [{ type: "ipc" as const }] : [];
  return {
    rules,
    context,
    view: new View(),
    masked: new Map(),
    process: { cwd: "/" },
    linux: { namespaces: [{ type: "mount" }, { type: "pid" }, { type: "uts" }, ...ipc] },
    extension: { files: [], init: true, terminal: "auto", dieWithParent: true, denyMasked: true, ...readEnd(rules) },
    origins: { "": { kind: "tool", text: "firejail" } },
    warnings: [],
    staged: [],
    proxies: [],
  };
}

/** The last process's end is the sandbox's, and its status. */
function readEnd(rules: readonly Rule[]): { outlast?: "last" | "first" } {
  if (hasRule(rules, "deterministic-shutdown")) return {};
  return { outlast: hasRule(rules, "deterministic-exit-code") ? "first" : "last" };
}

/** Rules that do nothing here, and when that is said. Those that say how the sandbox looks from outside count for nothing. */
const UNSUPPORTED: Record<string, string> = {
  apparmor: "brig loads no AppArmor profile: the other walls stand without it",
  "apparmor-replace": "brig loads no AppArmor profile",
  "apparmor-stack": "brig loads no AppArmor profile",
};

/** Asked for on the command line, it is an error; a profile that would like it as well is told of in the notes. */
function refuseUnsupported(rules: readonly Rule[]): void {
  for (const rule of rules) {
    const why = Object.hasOwn(UNSUPPORTED, rule.name) ? UNSUPPORTED[rule.name] : undefined;
    if (why !== undefined && rule.origin.kind === "flag") throw refuseRule(rule, "BRIG_CANNOT_ENFORCE", why, `leave --${rule.name} out`);
  }
}

function listNotes(rules: readonly Rule[]): string[] {
  return rules.flatMap((rule) => (Object.hasOwn(UNSUPPORTED, rule.name) ? [`${UNSUPPORTED[rule.name]} (${describeOrigin(rule.origin)})`] : []));
}

/** An AppImage's files, wherever the rules have hidden the folder that they are in; and what its AppRun expects to be told. */
function showImage(draft: Draft): void {
  const { image } = draft.context;
  if (!image) return;
  draft.view.bind(image.folder, image.folder, byFirejail("the AppImage's files"), { readonly: true, nosuid: true, nodev: true });
}

function finishSpec(draft: Draft): Spec {
  const { process, linux, hostname, origins, extension, view, masked } = draft;
  for (const path of draft.context.own) hide(draft, path, { kind: "tool", text: "brig's own" });
  const mounts: Mount[] = [];
  for (const layer of view.list()) origins[`/mounts/${mounts.push(renderMount(layer)) - 1}`] = layer.origin;
  // over whatever else shows at its place
  const files = extension.files.map((entry) => (entry.type === "machineId" ? { ...entry, after: mounts.length } : entry));
  linux.maskedPaths = [...masked.keys()];
  [...masked.values()].forEach((origin, index) => (origins[`/linux/maskedPaths/${index}`] = origin));
  const named = hostname === undefined ? {} : { hostname };
  const spec: Spec = { ociVersion: "1.2.0", ...named, process, root: { path: "/" }, mounts, linux };
  const notes = [...listNotes(draft.rules), ...draft.warnings];
  return writeExtension(spec, { ...extension, files, origins, ...(notes.length > 0 ? { notes } : {}) });
}
