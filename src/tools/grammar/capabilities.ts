import type { Capabilities } from "../../spec/oci.js";
import { CAPABILITY_NAMES } from "../../host/capabilities.js";

/** All five sets full, up to the last capability that this kernel knows. */
export function allCapabilities(last: number): Capabilities {
  const all = CAPABILITY_NAMES.slice(0, last + 1);
  return { bounding: all, effective: all, permitted: all, inheritable: all, ambient: all };
}
