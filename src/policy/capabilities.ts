import { byDefault, type Draft, originOfOption } from "./draft.js";
import { parseCapabilities } from "./parse/capability.js";

/** The payload's capabilities: none, but for those that are named. They hold in the sandbox's own user namespace. */
export function setCapabilities(draft: Draft): void {
  const { capAdd = [], capDrop = [], newPrivileges = false } = draft.options;
  const dropped = new Set(parseCapabilities(capDrop, "capDrop"));
  const kept = parseCapabilities(capAdd, "capAdd").filter((name) => !dropped.has(name));
  draft.process.capabilities = { bounding: kept, effective: kept, permitted: kept, inheritable: kept, ambient: kept };
  draft.process.noNewPrivileges = !newPrivileges;
  draft.origins["/process/capabilities"] = capAdd.length > 0 ? originOfOption(draft, "/capAdd") : byDefault("no capabilities");
  draft.origins["/process/noNewPrivileges"] = newPrivileges ? originOfOption(draft, "/newPrivileges") : byDefault("setuid files give nothing");
}
