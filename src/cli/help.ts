import { commands, groups } from "./commands/index.js";
import type { CommandForm, OptionForm } from "./grammar.js";
import { paint } from "./output/colour.js";
import { helpOption } from "./parse-words.js";

const WIDTH = 100;

/** `brig --help`: the commands under their headings. */
export function renderTopHelp(colour: boolean): string {
  const names = Object.keys(commands).filter((name) => commands[name]!.group !== "hidden");
  const column = Math.max(...names.map((name) => name.length));
  const sections = groups.map((group) => {
    const lines = names
      .filter((name) => commands[name]!.group === group)
      .map((name) => `  ${name.padEnd(column)}  ${commands[name]!.summary}`);
    return lines.length === 0 ? "" : `${paint("bold", group, colour)}\n${lines.join("\n")}\n\n`;
  });
  return (
    "brig: run something that you do not trust\n\n" +
    "  brig run -- COMMAND   everything closed but the system's programs and this folder, read-only\n" +
    "  brig COMMAND --help   what a command understands, with examples\n\n" +
    sections.join("") +
    "brig --version prints the version.\n"
  );
}

/** `brig NAME --help`. */
export function renderHelp(form: CommandForm, colour: boolean): string {
  const summary = commands[form.name]?.summary;
  const parts = [
    `brig ${form.name}${summary ? `: ${summary}` : ""}`,
    form.usage.map((usage, index) => `${index === 0 ? "usage:" : "      "} brig ${usage}`).join("\n"),
    ...(form.description ? [wrap(form.description, "")] : []),
    ...renderExamples(form, colour),
    ...renderGroups(form, colour),
  ];
  return `${parts.join("\n\n")}\n`;
}

function renderExamples(form: CommandForm, colour: boolean): string[] {
  if (!form.examples?.length) return [];
  const lines = form.examples.map(({ words, what }) => `  ${words}\n      ${what}`);
  return [`${paint("bold", "Examples", colour)}\n${lines.join("\n")}`];
}

function renderGroups(form: CommandForm, colour: boolean): string[] {
  if (form.ownGrammar) return [];
  const shown = [...form.options, helpOption].filter((option) => !option.hidden);
  const headings = [...new Set(shown.map((option) => option.group ?? "Options"))];
  const column = Math.min(30, Math.max(...shown.map((option) => showOption(option).length)));
  return headings.map((heading) => {
    const options = shown.filter((option) => (option.group ?? "Options") === heading);
    return `${paint("bold", heading, colour)}\n${options.map((option) => renderOption(option, column)).join("\n")}`;
  });
}

/** "-r, --read PATH", "--x11[=KIND]". */
export function showOption(option: OptionForm): string {
  const short = option.short ? `-${option.short}, ` : "    ";
  const name = option.negatable ? `--[no-]${option.name}` : `--${option.name}`;
  const { value, bare } = option;
  return short + name + (value === undefined ? "" : bare === undefined ? ` ${value}` : `[=${value}]`);
}

function renderOption(option: OptionForm, column: number): string {
  const left = showOption(option);
  const help = option.repeat ? `${option.help} (repeatable)` : option.help;
  const indent = " ".repeat(column + 4);
  const right = wrap(help, indent).trimStart();
  return left.length > column ? `  ${left}\n${indent}${right}` : `  ${left.padEnd(column)}  ${right}`;
}

function wrap(text: string, indent: string): string {
  return text.split("\n").map((paragraph) => wrapParagraph(paragraph, indent)).join("\n");
}

function wrapParagraph(paragraph: string, indent: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of paragraph.split(" ")) {
    if (line !== "" && indent.length + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each) => indent + each).join("\n");
}
