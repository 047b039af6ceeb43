import { CAPABILITY_NAMES } from "../../host/capabilities.js";
import type { Capabilities } from "../../spec/oci.js";
import type { BwrapContext } from "./context.js";
import type { BwrapOptions } from "./options.js";

/**
 * Root keeps what it has unless a word says otherwise, anybody else begins with nothing. What is asked for is ambient
 * too, so that the program has it; in a user namespace the bounding set is that as well.
 */
export function buildCapabilities(asked: BwrapOptions, context: BwrapContext, inUsers: boolean): Capabilities | undefined {
  const isRoot = context.euid === 0;
  const used = asked.capabilities.some(({ add, name }) => !add || name !== "ALL");
  if (isRoot && !used && !inUsers) return undefined;
  const requested = [...applyWords(asked, context, inUsers)];
  const all = CAPABILITY_NAMES.slice(0, context.capLast + 1);
  const gained = isRoot && !used ? [] : requested;
  return { bounding: inUsers ? requested : [...all], effective: requested, permitted: requested, inheritable: gained, ambient: gained };
}

function applyWords({ capabilities }: BwrapOptions, context: BwrapContext, inUsers: boolean): Set<string> {
  const all = inUsers ? CAPABILITY_NAMES.slice(0, context.capLast + 1) : context.capabilities; // a container's root has not all
  let requested = new Set<string>(context.euid === 0 ? context.capabilities : []);
  for (const { add, name } of capabilities) {
    if (name === "ALL") requested = new Set(add ? all : []);
    else if (add) requested.add(name);
    else requested.delete(name);
  }
  return requested;
}
