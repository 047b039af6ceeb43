/** Splits at colons; `\:` stands for a colon and `\\` for a backslash, any other backslash for itself. */
export function splitAtColons(text: string): string[] {
  const fields: string[] = [];
  let field = "";
  for (let at = 0; at < text.length; at++) {
    const next = text[at + 1];
    if (text[at] === "\\" && (next === ":" || next === "\\")) field += text[++at];
    else if (text[at] !== ":") field += text[at];
    else {
      fields.push(field);
      field = "";
    }
  }
  return [...fields, field];
}

/** Writes a path so that `splitAtColons` gives it back whole. */
export function escapeColons(path: string): string {
  return path.replaceAll(/[\\:]/g, String.raw`\$&`);
}
