import { imageError } from "./image-error.js";
import type { Descriptor, Platform } from "./oci.js";

const ARCHITECTURES: Record<string, string> = { x64: "amd64", arm64: "arm64", x86_64: "amd64", "x86-64": "amd64", aarch64: "arm64", armhf: "arm", armel: "arm", i386: "386" };

/** This host's. */
export function hostPlatform(): Platform {
  const architecture = ARCHITECTURES[process.arch] ?? process.arch;
  return { os: "linux", architecture };
}

/** "linux/arm64", "linux/arm/v7", "arm64". @throws BrigError BRIG_BAD_VALUE */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split("/");
  if (parts.length > 3 || parts.some((part) => !/^[a-z0-9._-]+$/.test(part))) throw imageError("BRIG_BAD_VALUE", `"${text}" is an invalid platform`, "OS/ARCHITECTURE[/VARIANT], as linux/arm64");
  const [first = "", second, variant] = parts;
  if (second === undefined) return first === "linux" ? hostPlatform() : { os: "linux", architecture: ARCHITECTURES[first] ?? first };
  return { os: first, architecture: ARCHITECTURES[second] ?? second, ...(variant === undefined ? {} : { variant }) };
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant ? [variant] : [])].join("/");
}

/** Whether something made for one platform is what another asks for; arm64's only variant need not be said. */
export function matchesPlatform(has: Platform, wanted: Platform): boolean {
  if (has.os !== wanted.os || has.architecture !== wanted.architecture) return false;
  return !wanted.variant || !has.variant || has.variant === wanted.variant;
}

/** The manifest of an index for a platform; the very variant before any. @throws BrigError BRIG_NO_PLATFORM */
export function selectPlatform(manifests: readonly Descriptor[], wanted: Platform, what: string): Descriptor {
  const fitting = manifests.filter(({ platform }) => platform && matchesPlatform(platform, wanted));
  const found = fitting.find(({ platform }) => (platform?.variant ?? "") === (wanted.variant ?? "")) ?? fitting[0];
  if (found) return found;
  const [only] = manifests;
  if (only && manifests.length === 1 && !only.platform) return only;
  const known = manifests.flatMap(({ platform }) => (platform && platform.os !== "unknown" ? [formatPlatform(platform)] : []));
  throw imageError("BRIG_NO_PLATFORM", `no matching manifest for ${formatPlatform(wanted)} in the manifest list entries of ${what}`, known.length > 0 ? `it has ${[...new Set(known)].join(", ")}: say which with --platform` : undefined);
}
