import { CAPABILITY_NAMES } from "../../host/capabilities.js";
import { findNearest } from "../../spec/nearest.js";
import { refuseValue } from "./bad-value.js";

/**
 * A capability's full name from "CAP_NET_RAW", "NET_RAW" or "net_raw".
 *
 * @throws BrigError BRIG_BAD_VALUE: capabilities(7) has no such name
 */
export function parseCapability(value: string, where = "capability"): string {
  const name = `CAP_${value.toUpperCase().replace(/^CAP_/, "")}`;
  if (CAPABILITY_NAMES.includes(name)) return name;
  const nearest = findNearest(name, CAPABILITY_NAMES);
  refuseValue(value, where, "is not a capability", nearest ? `did you mean ${nearest}?` : "capabilities(7) lists them");
}

/** A list in which "all" stands for every capability; without repeats, in the kernel's order. */
export function parseCapabilities(values: readonly string[], where = "capabilities"): string[] {
  const named = new Set(values.filter((value) => value.toLowerCase() !== "all").map((value) => parseCapability(value, where)));
  const all = values.some((value) => value.toLowerCase() === "all");
  return CAPABILITY_NAMES.filter((name) => all || named.has(name));
}
