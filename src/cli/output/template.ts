import { BrigError } from "../../error/brig-error.js";

/** A line of a listing as docker's --format sees it: `{{.Repository}}`. */
export type Fields = Record<string, unknown>;

type Part = { text: string } | { pipeline: string[][] };

const FUNCTIONS: Record<string, (args: unknown[]) => unknown> = {
  json: ([value]) => JSON.stringify(value),
  upper: ([value]) => String(value).toUpperCase(),
  lower: ([value]) => String(value).toLowerCase(),
  title: ([value]) => String(value).replace(/^./, (letter) => letter.toUpperCase()),
  len: ([value]) => (typeof value === "string" || Array.isArray(value) ? value.length : Object.keys((value ?? {}) as object).length),
  join: ([list, separator]) => (Array.isArray(list) ? list.join(String(separator)) : ""),
  split: ([value, separator]) => String(value).split(String(separator)),
  println: (args) => `${args.map(showValue).join(" ")}\n`,
  index: ([value, ...keys]) => keys.reduce<unknown>((inner, key) => pick(inner, String(key)), value),
};

/**
 * Compiles docker's --format: Go's text/template without control structures, `{{.A.B}}`, `{{json .}}`,
 * `{{index .Config.Labels "x"}}`, `{{join .Env ","}}`, pipes.
 *
 * @throws BrigError BRIG_BAD_FORMAT
 */
export function compileTemplate(text: string): (fields: unknown) => string {
  const parts = splitTemplate(text.replaceAll("\\t", "\t").replaceAll("\\n", "\n"));
  return (fields) => parts.map((part) => ("text" in part ? part.text : showValue(run(part.pipeline, fields)))).join("");
}

function splitTemplate(text: string): Part[] {
  const parts: Part[] = [];
  let rest = text;
  for (let open; (open = rest.indexOf("{{")) >= 0; ) {
    const close = rest.indexOf("}}", open);
    if (close < 0) throw refuse(text, "{{ without }}");
    parts.push({ text: rest.slice(0, open) }, { pipeline: readPipeline(rest.slice(open + 2, close), text) });
    rest = rest.slice(close + 2);
  }
  return [...parts, { text: rest }];
}

function readPipeline(text: string, whole: string): string[][] {
  const words = text.trim().match(/"(?:[^"\\]|\\.)*"|\||[^\s|"]+/g) ?? [];
  if (words.length === 0) throw refuse(whole, "an empty action");
  const commands: string[][] = [[]];
  for (const word of words) {
    if (word === "|") commands.push([]);
    else commands.at(-1)!.push(word);
  }
  for (const [first = ""] of commands)
    if (!isValue(first) && !Object.hasOwn(FUNCTIONS, first)) throw refuse(whole, `function ${JSON.stringify(first)} not defined`);
  return commands;
}

const isValue = (word: string): boolean => word.startsWith(".") || word.startsWith('"') || /^-?\d+$/.test(word);

function run(pipeline: string[][], fields: unknown): unknown {
  let piped: unknown[] = [];
  for (const [first = "", ...rest] of pipeline) {
    const args = [...rest.map((word) => evaluate(word, fields)), ...piped];
    piped = [isValue(first) ? evaluate(first, fields) : FUNCTIONS[first]!(args)];
  }
  return piped[0];
}

function evaluate(word: string, fields: unknown): unknown {
  if (word.startsWith('"')) return JSON.parse(word);
  if (/^-?\d+$/.test(word)) return Number(word);
  const path = word.slice(1).split(".").filter(Boolean);
  return path.reduce<unknown>((value, name) => pickKnown(value, name, word), fields);
}

function pick(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name) ? (value as Fields)[name] : undefined;
}

/** Names with capitals are fields of docker's structures, which are there or a mistake; others are keys of maps. */
function pickKnown(value: unknown, name: string, word: string): unknown {
  const found = pick(value, name);
  if (found === undefined && typeof value === "object" && value !== null && !Object.hasOwn(value, name) && Object.keys(value).every((key) => /^[A-Z]/.test(key)))
    throw refuse(word, `can't evaluate field ${name}`);
  return found;
}

function showValue(value: unknown): string {
  if (value === undefined || value === null) return "<no value>";
  if (Array.isArray(value)) return `[${value.map(showValue).join(" ")}]`;
  if (typeof value === "object") return `map[${Object.entries(value).map(([key, inner]) => `${key}:${showValue(inner)}`).join(" ")}]`;
  return String(value);
}

function refuse(text: string, why: string): BrigError {
  return new BrigError(`template parsing error: ${why} in ${JSON.stringify(text)}`, { code: "BRIG_BAD_FORMAT", exitCode: 64, hint: "{{.Field}}, {{json .}}, table {{.A}}\\t{{.B}}" });
}
