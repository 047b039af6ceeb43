import type { Completion, OptionForm } from "../grammar.js";
import { type CompletedCommand, quoteShell } from "./forms.js";

/** A script for bash that needs no bash-completion package. */
export function renderBash(commands: CompletedCommand[]): string {
  const names = commands.map(({ form }) => form.name).join(" ");
  return `# brig completion for bash
_brig() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} name=\${COMP_WORDS[1]} at
  COMPREPLY=()
  if (( COMP_CWORD == 1 )); then
    COMPREPLY=($(compgen -W ${quoteShell(`${names} help --help --version`)} -- "$word"))
    return
  fi
  for (( at = 2; at < COMP_CWORD; at++ )); do
    if [[ \${COMP_WORDS[at]} == -- ]]; then
      if (( at == COMP_CWORD - 1 )); then COMPREPLY=($(compgen -c -- "$word")); else COMPREPLY=($(compgen -f -- "$word")); fi
      compopt -o filenames
      return
    fi
  done
  case $name in
${commands.map((command) => renderCommand(command)).join("\n")}
    help) COMPREPLY=($(compgen -W ${quoteShell(names)} -- "$word")) ;;
  esac
}
complete -F _brig brig
`;
}

function renderCommand({ form }: CompletedCommand): string {
  if (form.ownGrammar) return `    ${form.name}) compopt -o filenames; COMPREPLY=($(compgen -f -- "$word")) ;;`;
  const values = form.options.filter((option) => option.value !== undefined && option.bare === undefined && !option.hidden);
  const words = form.options.filter((option) => !option.hidden).flatMap((option) => nameOption(option));
  return `    ${form.name})
      case $before in
${values.map((option) => `        ${nameOption(option).join("|")}) ${reply(option.complete ?? "none")}; return ;;`).join("\n")}
      esac
      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W ${quoteShell([...words, "--help"].join(" "))} -- "$word"))
      else ${reply(form.operands ?? "none")}; fi ;;`;
}

function nameOption(option: OptionForm): string[] {
  const names = [`--${option.name}`];
  if (option.short) names.push(`-${option.short}`);
  if (option.negatable) names.push(`--no-${option.name}`);
  if (option.bare !== undefined && Array.isArray(option.complete)) names.push(...option.complete.map((word: string) => `--${option.name}=${word}`));
  return names;
}

function reply(kind: Completion): string {
  if (kind === "none") return ":";
  if (kind === "path") return 'compopt -o filenames; COMPREPLY=($(compgen -f -- "$word"))';
  if (kind === "folder") return 'compopt -o filenames; COMPREPLY=($(compgen -d -- "$word"))';
  if (kind === "command") return 'COMPREPLY=($(compgen -c -- "$word"))';
  if (kind === "sandbox") return 'COMPREPLY=($(compgen -W "$(brig ps --all --quiet 2>/dev/null)" -- "$word"))';
  return `COMPREPLY=($(compgen -W ${quoteShell(kind.join(" "))} -- "$word"))`;
}
