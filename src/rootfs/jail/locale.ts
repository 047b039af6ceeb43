import { readFileSync } from "node:fs";
import { BrigError } from "../../error/brig-error.js";
import { addIfThere } from "./add-paths.js";
import type { Draft } from "./draft.js";

const FOLDER = "/usr/lib/locale";
const ARCHIVE = `${FOLDER}/locale-archive`;

/**
 * Adds a locale by the name that LANG has ("de_DE.UTF-8"), or "all". C and POSIX are within the C library.
 * @throws BrigError BRIG_JAIL_NOT_HERE, BRIG_BAD_VALUE
 */
export function addLocale(draft: Draft, name: string): void {
  const origin = `--locale ${name}`;
  if (name === "C" || name === "POSIX") return;
  if (name === "all" && addIfThere(draft, FOLDER, origin)) return;
  if (!/^[A-Za-z0-9_.@-]+$/.test(name) || name.startsWith(".")) {
    throw new BrigError(`${JSON.stringify(name)} is no name of a locale`, { code: "BRIG_BAD_VALUE", hint: "such as en_US.UTF-8; `locale -a` lists them", origin });
  }
  const names = [name, normalizeLocale(name)];
  if (names.some((candidate) => addIfThere(draft, `${FOLDER}/${candidate}`, origin))) return;
  if (names.some((candidate) => isInArchive(draft, candidate)) && addIfThere(draft, ARCHIVE, origin)) return;
  throw new BrigError(`the locale ${name} is not here`, { code: "BRIG_JAIL_NOT_HERE", hint: "`locale -a` lists those that are; localedef(1) makes one", origin });
}

/** glibc writes the codeset in lower case without signs: "UTF-8" is "utf8" (_nl_normalize_codeset). */
export function normalizeLocale(name: string): string {
  return name.replace(/\.([^@]*)/, (_, codeset: string) => `.${codeset.replace(/[^A-Za-z0-9]/g, "").toLowerCase()}`);
}

function isInArchive(draft: Draft, name: string): boolean {
  const archive = draft.sight.root.resolve(ARCHIVE);
  return archive?.stat.isFile() === true && readFileSync(archive.host).includes(`\0${name}\0`, 0, "latin1");
}
