import { BrigError } from "../error/brig-error.js";

/** A word of ExecStart= or Environment= (systemd.syntax(7)): C escapes within double quotes, and no specifiers. */
export function quoteWord(text: string): string {
  return wrap(escapeControls(text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')).replaceAll("%", "%%"));
}

/** The same where "$" would be a variable: the arguments of ExecStart=. */
export function quoteArgument(text: string): string {
  return quoteWord(text).replaceAll("$", "$$$$");
}

/** A path of BindPaths= and the like. @throws BrigError BRIG_BAD_VALUE for one that no line of a unit can hold */
export function quotePath(path: string): string {
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(path)) throw new BrigError(`${JSON.stringify(path)} cannot stand in a unit`, { code: "BRIG_BAD_VALUE", hint: "give the file a name without control characters" });
  return wrap(path.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%"), /[\s"'\\:]/);
}

function wrap(text: string, special = /[\s"'\\;#]|^$/): string {
  return special.test(text) ? `"${text}"` : text;
}

function escapeControls(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
