import { commands } from "../commands/index.js";
import type { CommandForm } from "../grammar.js";

/** A command as a completion script needs it. */
export interface CompletedCommand {
  summary: string;
  form: CommandForm;
}

/** Every command that is not hidden. */
export async function loadForms(): Promise<CompletedCommand[]> {
  const shown = Object.values(commands).filter((registration) => registration.group !== "hidden");
  return Promise.all(shown.map(async ({ summary, load }) => ({ summary, form: (await load()).command })));
}

/** A word in single quotes, for sh, bash, zsh. */
export function quoteShell(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
