import type { Completion, OptionForm } from "../grammar.js";
import { type CompletedCommand, quoteShell } from "./forms.js";

/** A `#compdef` function for zsh (zshcompsys(1), _arguments). */
export function renderZsh(commands: CompletedCommand[]): string {
  const listed = commands.map(({ form, summary }) => `    ${quoteShell(`${form.name}:${summary.replaceAll(":", "\\:")}`)}`);
  return `#compdef brig
_brig_sandboxes() { compadd -- \${(f)"$(brig ps --all --quiet 2>/dev/null)"} }
_brig() {
  local -a commands
  commands=(
${listed.join("\n")}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  shift words; (( CURRENT-- ))
  case $words[1] in
${commands.map(({ form }) => `    ${form.name}) _arguments -s ${renderArguments(form)} ;;`).join("\n")}
    help) _describe command commands ;;
  esac
}
if [ "$funcstack[1]" = "_brig" ]; then _brig "$@"; else compdef _brig brig; fi
`;
}

function renderArguments(form: CompletedCommand["form"]): string {
  const options = form.ownGrammar ? [] : form.options.filter((option) => !option.hidden).flatMap((option) => renderOption(option));
  const rest = form.stopAtOperand || form.ownGrammar ? "'*::command:_normal'" : `'*:word:${act(form.operands ?? "none")}'`;
  return [...options, rest].join(" \\\n      ");
}

function renderOption(option: OptionForm): string[] {
  const help = option.help.replaceAll(/[[\]:]/g, String.raw`\$&`);
  const star = option.repeat ? "*" : "";
  const value = option.value === undefined ? "" : `${option.bare === undefined ? "" : ":"}:${option.value.replaceAll(":", String.raw`\:`)}:${act(option.complete ?? "none")}`;
  const names = [`--${option.name}`, ...(option.short ? [`-${option.short}`] : []), ...(option.negatable ? [`--no-${option.name}`] : [])];
  return names.map((name) => quoteShell(`${star}${name}${value !== "" && name.startsWith("--") ? (option.bare === undefined ? "=" : "=-") : ""}[${help}]${value}`));
}

function act(kind: Completion): string {
  if (kind === "none") return " ";
  if (kind === "path") return "_files";
  if (kind === "folder") return "_files -/";
  if (kind === "command") return "_command_names";
  if (kind === "sandbox") return "_brig_sandboxes";
  return `(${kind.join(" ")})`;
}
