/** What a page shows: commands with their output, and files. Written in fenced blocks, whose first word is the language. */
export type Example =
  | { kind: "command"; line: number; command: string; output: string[]; who: "any" | "root" | "user"; skip?: string }
  | { kind: "file"; line: number; name: string; text: string };

interface Block {
  line: number;
  info: string;
  lines: string[];
}

/**
 * The examples of a Markdown page. In a ```console block a line `$ COMMAND` is a command (lines `> …` go on with it)
 * and what follows is its output; `root`, `user` or `skip=REASON` behind the word say who runs it. A block with
 * `file=NAME` is a file that later commands find.
 */
export function readExamples(markdown: string): Example[] {
  return readBlocks(markdown).flatMap((block) => {
    const name = /(?:^|\s)file=(\S+)/.exec(block.info)?.[1];
    if (name !== undefined) return [{ kind: "file", line: block.line, name, text: `${block.lines.join("\n")}\n` }];
    return block.info.split(/\s/)[0] === "console" ? readCommands(block) : [];
  });
}

function readBlocks(markdown: string): Block[] {
  const blocks: Block[] = [];
  let open: Block | undefined;
  markdown.split("\n").forEach((text, at) => {
    if (!text.startsWith("```")) open?.lines.push(text);
    else if (open) {
      blocks.push(open);
      open = undefined;
    }
    else open = { line: at + 1, info: text.slice(3).trim(), lines: [] };
  });
  if (open) throw new Error(`the block of line ${open.line} has no end`);
  return blocks;
}

function readCommands(block: Block): Example[] {
  const [, ...words] = block.info.split(/\s+/);
  const skip = /skip=(.*)$/.exec(block.info)?.[1];
  const who = words.includes("root") ? "root" : words.includes("user") ? "user" : "any";
  const found: Extract<Example, { kind: "command" }>[] = [];
  block.lines.forEach((text, at) => {
    const last = found.at(-1);
    if (text.startsWith("$ ")) found.push({ kind: "command", line: block.line + at + 1, command: text.slice(2), output: [], who, ...(skip === undefined ? {} : { skip }) });
    else if (!last) throw new Error(`line ${block.line + at + 1}: output before any command`);
    else if (text.startsWith("> ") && last.output.length === 0) last.command += `\n${text.slice(2)}`;
    else last.output.push(text);
  });
  return found;
}

/**
 * Whether the lines are what was expected: `…` stands for anything in a line, and alone in a line for any lines. An id,
 * a date, an age and an inode number stand for any other; how many spaces there are does not count.
 */
export function matchOutput(expected: readonly string[], lines: readonly string[]): boolean {
  const pattern = expected.map((line) => (line.trim() === "…" ? "(?:.*\n)*?" : `${matchLine(levelLine(line))}\n`)).join("");
  return new RegExp(`^${pattern}$`).test(lines.map((line) => `${levelLine(line)}\n`).join(""));
}

function levelLine(line: string): string {
  return line
    .replaceAll(/\b[0-9a-f]{12}\b/g, "ID")
    .replaceAll(/\b[A-Z][a-z]{2} +\d+ \d\d:\d\d\b/g, "DATE")
    .replaceAll(/\b\d+(?:\.\d+)?(?:ms|s)\b/g, "AGE")
    .replaceAll(/\[\d{8,}\]/g, "[INODE]")
    .replaceAll(/\s+/g, " ")
    .trimEnd();
}

function matchLine(line: string): string {
  return line.split("…").map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join(".*?");
}
