import type { DebootstrapRequest } from "./request.js";

/** The command line that makes a root in `folder`, and what its environment needs beyond the ordinary. */
export function writeToolWords(request: DebootstrapRequest, folder: string, makesNodes: boolean): { args: string[]; env: string[] } {
  const { program, arch, include, keyring, mirror, suite, tool } = request;
  const named = [`--arch=${arch}`, ...(include.length > 0 ? [`--include=${include.join(",")}`] : []), ...(keyring === undefined ? [] : [`--keyring=${keyring}`])];
  const words = tool === "mmdebstrap" ? ["--mode=root", "--format=directory", "--verbose", ...nameVariant(request)] : nameVariant(request);
  // for who may make no device nodes: debootstrap binds the host's only where it believes that it is in lxc
  const env = tool === "debootstrap" && !makesNodes ? ["container=lxc"] : [];
  return { args: [program, ...words, ...named, suite, folder, mirror], env };
}

/** debootstrap calls its own default by no name, and mmdebstrap calls that "important". */
function nameVariant({ tool, variant }: DebootstrapRequest): string[] {
  return tool === "debootstrap" && variant === "important" ? [] : [`--variant=${variant}`];
}
