import { BrigError } from "../../error/brig-error.js";

/** "ctrl-p,ctrl-q" as the bytes that are typed. */
export function parseDetachKeys(text = "ctrl-p,ctrl-q"): string {
  return text
    .split(",")
    .map((key) => {
      if (/^[a-zA-Z0-9]$/.test(key)) return key;
      const [, letter] = /^ctrl-([a-z@[\\\]^_])$/i.exec(key) ?? [];
      if (letter === undefined) throw new BrigError(`invalid detach keys (${text}): Unknown character: '${key}'`, { code: "BRIG_BAD_VALUE", exitCode: 125, hint: "letters, or ctrl- and one of a-z @ [ \\ ] ^ _" });
      return String.fromCharCode(letter.toUpperCase().charCodeAt(0) & 0x1f);
    })
    .join("");
}
