import { type Extension, readExtension, writeExtension } from "../spec/extension.js";
import type { Spec } from "../spec/oci.js";
import { buildSpec } from "../policy/build-spec.js";
import type { PolicyContext } from "../policy/context.js";
import type { SandboxOptions } from "../policy/options.js";

export interface OpenWish {
  /** What the program may reach while it is learned from. */
  net: string;
  /** Paths that stay hidden all the same. */
  hide: readonly string[];
}

/**
 * The sandbox that is learned in: everything can be read, writes go to an overlay that is dropped, and what the default
 * filter refuses is told and happens. Started by root, every capability is there, within the sandbox's user namespace.
 */
export function buildOpenSpec(command: readonly string[], { net, hide }: OpenWish, context: PolicyContext, reportFd: number): Spec {
  const { cwd, home, host } = context;
  const written = [home, cwd].filter((folder, index, all) => folder !== "/" && all.indexOf(folder) === index);
  const options: SandboxOptions = {
    read: ["/", "/run", "/sys"], write: written.filter((folder) => !isSystem(folder)), ephemeral: true, net, hide: [...hide],
    ...(host.euid === 0 ? { capAdd: ["all"] } : {}),
  };
  const spec = buildSpec(options, command, context);
  const strict = buildSpec({ net }, command, context);
  const withFilter: Spec = strict.linux?.seccomp ? { ...spec, linux: { ...spec.linux, seccomp: strict.linux.seccomp } } : spec;
  return addWatch(withFilter, reportFd, "open");
}

/** An overlay over a system folder would lie below what is mounted there. */
function isSystem(folder: string): boolean {
  return ["/usr", "/etc", "/proc", "/sys", "/dev", "/run"].some((each) => folder === each || folder.startsWith(`${each}/`));
}

export function addWatch(spec: Spec, fd: number, mode: "walls" | "open"): Spec {
  const extension: Extension = readExtension(spec);
  return writeExtension(spec, { ...extension, watch: { fd, mode } });
}
