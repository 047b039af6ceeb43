/** Setting ("read", "read[1]", "env.NAME") to the one-based line of its key or, in a list, of its item. */
export type Lines = Map<string, number>;

/** Settings that are written twice, which a JSON parser passes over in silence. */
export interface LineIndex {
  lines: Lines;
  repeated: string[];
}

const MAX_DEPTH = 8;

/**
 * Finds the lines of a profile's settings. The text is known to be well-formed TOML or JSON: a JSON document is read
 * as one inline table, whose "key": value differs from TOML's key = value in the sign between them only.
 */
export function indexLines(text: string, format: "toml" | "json"): LineIndex {
  const skimmer = new Skimmer(text);
  if (format === "json") skimmer.skimTable("", 0);
  else skimmer.skimDocument();
  return skimmer.index;
}

/** One pass over the text; `at` is always behind what was read. */
class Skimmer {
  readonly index: LineIndex = { lines: new Map(), repeated: [] };
  private at = 0;
  private line = 1;

  constructor(private readonly text: string) {}

  /** TOML's top level: `key = value` lines and `[table]` headers. */
  skimDocument(): void {
    let table = "";
    for (this.skipBlank(); this.at < this.text.length; this.skipBlank()) {
      if (this.text[this.at] === "[") table = this.readHeader();
      else this.skimPair(table, 0);
    }
  }

  /** `{ … }` at the current place. */
  skimTable(prefix: string, depth: number): void {
    this.skipBlank();
    this.at++;
    for (this.skipBlank(); this.more("}"); this.skipBlank()) this.skimPair(prefix, depth);
    this.at++;
  }

  private skimPair(prefix: string, depth: number): void {
    const line = this.line;
    const key = this.readKey(prefix);
    if (this.index.lines.has(key)) this.index.repeated.push(key);
    this.index.lines.set(key, line);
    this.skipBlank();
    this.skimValue(key, depth + 1);
  }

  private skimValue(key: string, depth: number): void {
    const sign = this.text[this.at];
    if (depth > MAX_DEPTH) this.at = this.text.length;
    else if (sign === "{") this.skimTable(key, depth);
    else if (sign === "[") this.skimList(key, depth);
    else if (sign === '"' || sign === "'") this.readString();
    else this.readWhile(/[^\s,\]}#]+/y);
  }

  private skimList(key: string, depth: number): void {
    this.at++;
    this.skipBlank();
    for (let item = 0; this.more("]"); item++, this.skipBlank()) {
      this.index.lines.set(`${key}[${item}]`, this.line);
      this.skimValue(`${key}[${item}]`, depth + 1);
    }
    this.at++;
  }

  /** A key with its dots, and the sign behind it. */
  private readKey(prefix: string): string {
    let key = prefix;
    do {
      if (this.text[this.at] === ".") this.at++;
      this.readWhile(/[ \t]*/y);
      const quoted = this.text[this.at] === '"' || this.text[this.at] === "'";
      const name = quoted ? this.readString() : this.readWhile(/[\w$-]+/y);
      key = key === "" ? name : `${key}.${name}`;
      this.readWhile(/\s*/y);
    } while (this.text[this.at] === ".");
    this.at++;
    return key;
  }

  private readHeader(): string {
    const line = this.line;
    this.readWhile(/\[+[ \t]*/y);
    const key = this.readKey("");
    this.readWhile(/\]*/y);
    if (!this.index.lines.has(key)) this.index.lines.set(key, line);
    return key;
  }

  /** The string's text as written; escapes are resolved where that is simple, for a key in quotes. */
  private readString(): string {
    const raw = this.readWhile(/"""(?:[^\\]|\\[^])*?"{3,5}|'''[^]*?'{3,5}|"(?:[^"\\]|\\[^])*"|'[^']*'/y);
    if (!raw.startsWith('"') || raw.startsWith('"""')) return raw.slice(1, -1);
    try {
      return JSON.parse(raw) as string;
    } catch {
      return raw.slice(1, -1);
    }
  }

  private skipBlank(): void {
    this.readWhile(/(?:[\s,]+|#[^\n]*)*/y);
  }

  private more(end: string): boolean {
    return this.at < this.text.length && this.text[this.at] !== end;
  }

  /** Moves behind a match at the current place; what does not match is passed one sign at a time, so that it ends. */
  private readWhile(shape: RegExp): string {
    shape.lastIndex = this.at;
    const found = shape.exec(this.text)?.[0];
    if (found === undefined) this.at++;
    else this.at += found.length;
    for (const sign of found ?? "") if (sign === "\n") this.line++;
    return found ?? "";
  }
}
