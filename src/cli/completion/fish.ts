import type { Completion, OptionForm } from "../grammar.js";
import type { CompletedCommand } from "./forms.js";

/** `complete` lines for fish. */
export function renderFish(commands: CompletedCommand[]): string {
  const lines = commands.flatMap(({ form, summary }) => [
    `complete -c brig -n __fish_use_subcommand -a ${form.name} -d ${quoteFish(summary)}`,
    ...(form.ownGrammar ? [] : form.options.filter((option) => !option.hidden).flatMap((option) => renderOption(form.name, option))),
    ...renderOperands(form),
  ]);
  return `# brig completion for fish\ncomplete -c brig -f\n${lines.join("\n")}\n`;
}

function renderOption(command: string, option: OptionForm): string[] {
  const condition = `-n '__fish_seen_subcommand_from ${command}'`;
  const short = option.short ? ` -s ${option.short}` : "";
  const value = option.value === undefined ? "" : `${option.bare === undefined ? " -r" : ""} ${act(option.complete ?? "none")}`;
  const line = `complete -c brig ${condition} -l ${option.name}${short}${value} -d ${quoteFish(option.help)}`;
  const off = `complete -c brig ${condition} -l no-${option.name} -d ${quoteFish(`not: ${option.help}`)}`;
  return option.negatable ? [line, off] : [line];
}

function renderOperands(form: CompletedCommand["form"]): string[] {
  const kind = form.stopAtOperand || form.ownGrammar ? "command" : (form.operands ?? "none");
  const words = kind === "command" ? "-F -a '(__fish_complete_command)'" : act(kind);
  return words === "" ? [] : [`complete -c brig -n '__fish_seen_subcommand_from ${form.name}' ${words}`];
}

function act(kind: Completion): string {
  if (kind === "none") return "";
  if (kind === "path" || kind === "folder") return "-F";
  if (kind === "command") return "-a '(__fish_complete_command)'";
  if (kind === "sandbox") return "-a '(brig ps --all --quiet 2>/dev/null)'";
  return `-a ${quoteFish(kind.join(" "))}`;
}

/** In single quotes fish knows only \' and \\. */
function quoteFish(text: string): string {
  return `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`;
}
