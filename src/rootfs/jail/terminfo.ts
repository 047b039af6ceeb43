import { BrigError } from "../../error/brig-error.js";
import { addIfThere } from "./add-paths.js";
import type { Draft } from "./draft.js";

/** Where ncurses looks, in Debian's order (terminfo(5)). */
const PLACES = ["/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo"];

/** Adds the descriptions of all terminals. @throws BrigError BRIG_JAIL_NOT_HERE */
export function addTerminfo(draft: Draft): void {
  const found = PLACES.filter((path) => addIfThere(draft, path, "--terminfo"));
  if (found.length > 0) return;
  throw new BrigError("there is no terminfo here", { code: "BRIG_JAIL_NOT_HERE", hint: "apt install ncurses-base", origin: "--terminfo" });
}
