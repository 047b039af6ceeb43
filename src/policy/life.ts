import type { Draft } from "./draft.js";
import { originOfOption } from "./draft.js";
import { parseMode } from "./parse/mode.js";

/** How the sandbox starts, is seen and ends: terminal, init, name, parent. */
export function setLife(draft: Draft): void {
  const { options, extension } = draft;
  const detach = options.detach ?? false;
  extension.init = options.init ?? true;
  extension.terminal = options.tty ?? "auto";
  draft.process.terminal = options.tty === "always";
  extension.dieWithParent = options.dieWithParent ?? !detach;
  if (detach) extension.detach = true;
  if (options.keep ?? detach) extension.keep = true;
  if (options.name !== undefined) {
    extension.name = options.name;
    draft.origins["/annotations/dev.brig.name"] = originOfOption(draft, "/name");
  }
  if (options.umask !== undefined && draft.process.user) draft.process.user.umask = parseMode(options.umask, "umask");
  if (options.sysctl) {
    draft.linux.sysctl = { ...options.sysctl };
    draft.origins["/linux/sysctl"] = originOfOption(draft, "/sysctl");
  }
  Object.assign(draft.annotations, options.labels ?? {});
}
