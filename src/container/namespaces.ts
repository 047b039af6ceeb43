import { BrigError } from "../error/brig-error.js";
import type { Namespace, NamespaceType } from "../spec/oci.js";
import type { IdMaps } from "./identity.js";
import type { Container } from "./model.js";

/** Where another container's namespaces are: its first process's. */
export type FindProcess = (reference: string) => number;

/** New ones but for those that are the host's or another container's. */
export function chooseNamespaces({ HostConfig }: Container, maps: IdMaps, findProcess: FindProcess): Namespace[] {
  const { PidMode, IpcMode, UTSMode, NetworkMode } = HostConfig;
  return [
    ...(maps.kind === "host" ? [] : [{ type: "user" as const }]),
    { type: "mount" },
    { type: "cgroup" },
    ...choose("pid", PidMode, findProcess),
    ...choose("ipc", IpcMode, findProcess),
    ...choose("uts", UTSMode, findProcess),
    ...choose("network", NetworkMode, findProcess),
  ];
}

const FILES: Partial<Record<NamespaceType, string>> = { network: "net" };

function choose(type: NamespaceType, mode: string, findProcess: FindProcess): Namespace[] {
  if (mode === "host") return [];
  if (!mode.startsWith("container:")) return [{ type }];
  return [{ type, path: `/proc/${findProcess(mode.slice("container:".length))}/ns/${FILES[type] ?? type}` }];
}

/** @throws BrigError BRIG_BAD_VALUE for a mode that there is not */
export function checkModes({ PidMode, IpcMode, UTSMode, UsernsMode }: Container["HostConfig"]): void {
  const check = (flag: string, mode: string, words: string[]): void => {
    if (words.includes(mode) || (words.includes("container:") && /^container:.+/.test(mode))) return;
    throw new BrigError(`--${flag}: invalid ${flag} mode ${JSON.stringify(mode)}`, { code: "BRIG_BAD_VALUE", hint: words.filter((word) => word !== "").join(", ") });
  };
  check("pid", PidMode, ["", "host", "container:"]);
  check("ipc", IpcMode, ["", "private", "shareable", "none", "host", "container:"]);
  check("uts", UTSMode, ["", "host"]);
  check("userns", UsernsMode, ["", "host"]);
}
