import { BrigError } from "../error/brig-error.js";
import { findNearest } from "../spec/nearest.js";
import type { CommandForm, OptionForm, ParsedWords, TypedOption } from "./grammar.js";

/** Every command understands this one. */
export const helpOption: OptionForm = { name: "help", short: "h", help: "show this help" };

/**
 * Splits the words behind a command's name into options and operands: `--name=value`, `--name value`, `-n value`,
 * `-nvalue`, `-abc` for switches, `--no-name`, and `--`, behind which nothing is an option.
 * Throws BRIG_BAD_OPTION for an unknown option or a missing value, BRIG_BAD_USAGE for a wrong number of operands.
 */
export function parseWords(form: CommandForm, words: readonly string[]): ParsedWords {
  if (form.ownGrammar) return makeParsed([], [...words]);
  const typed: TypedOption[] = [];
  const operands: string[] = [];
  let at = 0;
  while (at < words.length) {
    const word = words[at]!;
    if (word === "--") {
      operands.push(...words.slice(at + 1));
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      if (form.stopAtOperand) {
        operands.push(...words.slice(at));
        break;
      }
      operands.push(word);
      at++;
    } else at += word.startsWith("--") ? parseLong(form, words, at, typed) : parseShort(form, words, at, typed);
  }
  const parsed = makeParsed(typed, operands);
  if (!parsed.has("help")) checkOperands(form, operands);
  return parsed;
}

function makeParsed(typed: TypedOption[], operands: string[]): ParsedWords {
  const last = (name: string) => typed.findLast((option) => option.name === name);
  return {
    typed,
    operands,
    has: (name) => last(name)?.on ?? false,
    value: (name) => last(name)?.value,
    values: (name) => typed.filter((option) => option.name === name).map((option) => option.value),
  };
}

/** Returns how many words it took. */
function parseLong(form: CommandForm, words: readonly string[], at: number, typed: TypedOption[]): number {
  const word = words[at]!;
  const equals = word.indexOf("=");
  const name = word.slice(2, equals < 0 ? undefined : equals);
  const negated = findNegated(form, name);
  if (negated && equals < 0) {
    typed.push({ name: negated.name, value: "", on: false, text: word });
    return 1;
  }
  const option = findOption(form, (candidate) => candidate.name === name);
  if (!option) throw refuseOption(form, word, name);
  return takeValue(form, option, { word, given: equals < 0 ? undefined : word.slice(equals + 1), next: words[at + 1] }, typed);
}

function findNegated(form: CommandForm, name: string): OptionForm | undefined {
  if (!name.startsWith("no-")) return undefined;
  return findOption(form, (candidate) => candidate.negatable === true && candidate.name === name.slice(3));
}

/** "-abc": switches until one takes a value, which is the rest of the word or the next word. */
function parseShort(form: CommandForm, words: readonly string[], at: number, typed: TypedOption[]): number {
  const word = words[at]!;
  for (let index = 1; index < word.length; index++) {
    const option = findOption(form, (candidate) => candidate.short === word[index]);
    if (!option) throw refuseOption(form, `-${word[index]}`, word.slice(1));
    const rest = word.slice(index + 1).replace(/^=/, "");
    if (option.value !== undefined)
      return takeValue(form, option, { word, given: rest === "" ? undefined : rest, next: words[at + 1] }, typed);
    typed.push({ name: option.name, value: "", on: true, text: `-${option.short}` });
  }
  return 1;
}

interface Place {
  word: string;
  given: string | undefined;
  next: string | undefined;
}

function takeValue(form: CommandForm, option: OptionForm, place: Place, typed: TypedOption[]): number {
  const { word, given, next } = place;
  if (option.value === undefined) {
    if (given !== undefined) throw refuse(form, `--${option.name} takes no value, but has "${given}"`);
    typed.push({ name: option.name, value: "", on: true, text: word });
    return 1;
  }
  if (given !== undefined) {
    typed.push({ name: option.name, value: given, on: true, text: word });
    return 1;
  }
  if (option.bare !== undefined) {
    typed.push({ name: option.name, value: option.bare, on: true, text: word });
    return 1;
  }
  if (next === undefined || next === "--") throw refuse(form, `${word} wants a value: ${word} ${option.value}`);
  typed.push({ name: option.name, value: next, on: true, text: `${word} ${next}` });
  return 2;
}

function findOption(form: CommandForm, matches: (option: OptionForm) => boolean): OptionForm | undefined {
  return form.options.find(matches) ?? (matches(helpOption) ? helpOption : undefined);
}

function refuseOption(form: CommandForm, word: string, name: string): BrigError {
  const known = form.options.filter((option) => !option.hidden).map((option) => option.name);
  const nearest = findNearest(name, known);
  const hint = nearest ? `did you mean --${nearest}?` : `brig ${form.name} --help lists the options`;
  const shown = word.split("=", 1)[0]!;
  return new BrigError(`unknown option ${shown} of brig ${form.name}`, { code: "BRIG_BAD_OPTION", hint });
}

function refuse(form: CommandForm, message: string): BrigError {
  return new BrigError(message, { code: "BRIG_BAD_OPTION", hint: `brig ${form.name} --help shows how it is used` });
}

function checkOperands(form: CommandForm, operands: string[]): void {
  const { minOperands = 0, maxOperands = Infinity } = form;
  if (operands.length >= minOperands && operands.length <= maxOperands) return;
  const what = operands.length < minOperands ? "too few words" : `too many words, from "${operands[maxOperands]}" on`;
  const hint = `usage: brig ${form.usage[0] ?? form.name}`;
  throw new BrigError(`brig ${form.name}: ${what}`, { code: "BRIG_BAD_USAGE", hint });
}
