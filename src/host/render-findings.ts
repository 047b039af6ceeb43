import { canRunSafeDefault, type Finding } from "./doctor.js";

export interface RenderOptions {
  /** Characters in a line. Default 100. */
  width?: number;
  color?: boolean;
}

const COLORS = { ok: "32", limited: "33", missing: "31" } as const;

/** The findings as a list in columns, with what to do below each that is not well, and a summary at the end. */
export function renderFindings(findings: readonly Finding[], { width = 100, color = false }: RenderOptions = {}): string {
  const column = Math.max(0, ...findings.map((finding) => finding.topic.length)) + 2;
  const paint = (state: Finding["state"]): string => {
    const word = state.padEnd(8);
    return color ? `\u001b[${COLORS[state]}m${word}\u001b[0m` : word;
  };
  const lines = findings.flatMap((finding) => {
    const indent = " ".repeat(column + 8);
    const texts = finding.state === "ok" ? [finding.what] : [finding.what, `for: ${finding.means}`, ...(finding.fix ? [`do:  ${finding.fix}`] : [])];
    const [first = "", ...rest] = texts.flatMap((text) => wrapText(text, Math.max(40, width - column - 8)));
    return [`${finding.topic.padEnd(column)}${paint(finding.state)}${first}`, ...rest.map((line) => indent + line)];
  });
  return `${[...lines, "", summarise(findings)].join("\n")}\n`;
}

function summarise(findings: readonly Finding[]): string {
  const count = (state: Finding["state"]): number => findings.filter((finding) => finding.state === state).length;
  const counts = `${count("ok")} ok, ${count("limited")} limited, ${count("missing")} missing`;
  if (canRunSafeDefault(findings)) return `${counts}. brig run works here with its safe default.`;
  const reasons = findings.filter((finding) => finding.required && finding.state === "missing").map((finding) => finding.topic);
  return `${counts}. brig run does not work here with its safe default, for want of: ${reasons.join(", ")}.`;
}

/** Lines of at most `width` characters, broken at blanks; control characters, which could steer a terminal, become "?". */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.replace(/\p{Cc}/gu, "?").split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
