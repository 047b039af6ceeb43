import type { NamespaceType } from "../spec/oci.js";
import { isAsked, lack, put, type UnitDraft } from "./draft.js";
import { quotePath } from "./quote.js";

/** How systemd words what a namespace separates. */
const NEW_NAMESPACES: Record<Exclude<NamespaceType, "network" | "user">, readonly [name: string, value: string, comment?: string][]> = {
  mount: [["PrivateMounts", "yes"]],
  pid: [["ProtectProc", "invisible", "systemd 252 has no process namespace: others' processes are hidden, and no right is left to signal them"]],
  ipc: [["PrivateIPC", "yes"], ["RemoveIPC", "yes"]],
  uts: [["ProtectHostname", "yes"]],
  cgroup: [["ProtectControlGroups", "yes"]],
  time: [["ProtectClock", "yes"]],
};

/** Namespaces, and what of the kernel is closed besides. */
export function writeNamespaces(draft: UnitDraft): void {
  const namespaces = draft.spec.linux?.namespaces ?? [];
  for (const [index, { type, path }] of namespaces.entries()) {
    if (type === "network") writeNetwork(draft, path, index);
    else if (type === "ipc" && path !== undefined) put(draft, "IPCNamespacePath", quotePath(path));
    else if (path !== undefined) lack(draft, `/linux/namespaces/${index}`, `the ${type} namespace ${path}`);
    else if (type !== "user") for (const [name, value, comment] of NEW_NAMESPACES[type]) put(draft, name, value, comment);
  }
  for (const type of ["mount", "network"] as const) {
    if (namespaces.some((namespace) => namespace.type === type)) continue;
    if (type === "mount") lack(draft, "/linux/namespaces", "the caller's own mounts");
    else writeSharedNetwork(draft);
  }
  if (isAsked(draft, "/hostname")) lack(draft, "/hostname", `the host's name ${draft.spec.hostname}`);
}

function writeNetwork(draft: UnitDraft, path: string | undefined, index: number): void {
  const { network } = draft.extension;
  const mode = network?.mode ?? "none";
  if (path !== undefined) put(draft, "NetworkNamespacePath", quotePath(path));
  else if (mode === "none") {
    put(draft, "PrivateNetwork", "yes");
    put(draft, "IPAddressDeny", "any");
    put(draft, "IPAddressAllow", "localhost");
  } else lack(draft, "/annotations/dev.brig.network", `a way out by ${mode === "user" ? "a user-space network" : `${mode} links`}`);
  if (network?.filter) lack(draft, `/linux/namespaces/${index}`, "a list of hosts that may be reached, by name");
}

function writeSharedNetwork(draft: UnitDraft): void {
  if (draft.extension.network?.filter) lack(draft, "/annotations/dev.brig.network", "a list of hosts that may be reached, by name");
}

/** What brig closes by its mounts and filters, in systemd's words for it. */
export function writeKernelWalls(draft: UnitDraft): void {
  const { linux, mounts = [] } = draft.spec;
  const { extension } = draft;
  put(draft, "PrivateDevices", "yes");
  put(draft, "DevicePolicy", "closed");
  put(draft, "ProtectKernelTunables", "yes");
  put(draft, "ProtectKernelModules", "yes");
  put(draft, "ProtectKernelLogs", "yes");
  put(draft, "RestrictRealtime", "yes");
  const homes = mounts.some(({ destination }) => /^\/(home|root|run\/user)(\/|$)/.test(destination));
  if (!(draft.spec.root?.path ?? "")) put(draft, "ProtectHome", homes ? "tmpfs" : "yes");
  if (extension.keyring) put(draft, "KeyringMode", "private");
  if (extension.landlock?.bindTcp || extension.landlock?.connectTcp) lack(draft, "/annotations/dev.brig.landlock", "a list of TCP ports (Landlock)");
  if (linux?.personality) put(draft, "Personality", linux.personality.domain === "LINUX32" ? "x86" : "x86-64");
}
