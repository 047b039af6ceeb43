import type { CommandForm } from "../grammar.js";

/** "--rm=true" and "-d=false", which docker understands of every switch. */
export function normaliseSwitches(form: CommandForm, words: readonly string[]): string[] {
  const switches = new Set(form.options.filter(({ value }) => value === undefined).flatMap(({ name, short }) => [`--${name}`, ...(short ? [`-${short}`] : [])]));
  const end = form.stopAtOperand ? findOperand(form, words) : words.length;
  return words.flatMap((word, index) => {
    const [, name, value] = /^(--?[a-zA-Z-]+)=(true|false|1|0|t|f)$/i.exec(word) ?? [];
    if (index >= end || name === undefined || !switches.has(name)) return [word];
    if (/^[t1]/i.test(value!)) return [name];
    return form.options.some((option) => option.negatable && (name === `--${option.name}` || name === `-${option.short}`)) ? [`--no-${nameOf(form, name)}`] : [];
  });
}

function nameOf(form: CommandForm, word: string): string {
  return word.startsWith("--") ? word.slice(2) : form.options.find(({ short }) => short === word.slice(1))!.name;
}

/** Where somebody else's command line begins. */
function findOperand(form: CommandForm, words: readonly string[]): number {
  const takes = new Set(form.options.filter(({ value }) => value !== undefined).flatMap(({ name, short }) => [`--${name}`, ...(short ? [`-${short}`] : [])]));
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    if (!word.startsWith("-") || word === "-" || word === "--") return index;
    if (takes.has(word)) index++;
  }
  return words.length;
}
