import { renderBash } from "../completion/bash.js";
import { renderFish } from "../completion/fish.js";
import { loadForms } from "../completion/forms.js";
import { renderZsh } from "../completion/zsh.js";
import type { CommandForm } from "../grammar.js";
import { print } from "../output/print.js";
import { BrigError } from "../../error/brig-error.js";

const shells = { bash: renderBash, zsh: renderZsh, fish: renderFish };

export const command: CommandForm = {
  name: "completion",
  usage: ["completion bash|zsh|fish"],
  options: [],
  operands: ["bash", "zsh", "fish"],
  minOperands: 1,
  maxOperands: 1,
  examples: [
    { words: "brig completion bash > /etc/bash_completion.d/brig", what: "for every user's bash" },
    { words: "brig completion zsh > ~/.zfunc/_brig", what: "for zsh, with ~/.zfunc in fpath" },
    { words: "brig completion fish > ~/.config/fish/completions/brig.fish", what: "for fish" },
  ],
  async run(words) {
    const shell = words.operands[0]!;
    if (!Object.hasOwn(shells, shell)) {
      throw new BrigError(`no completion for ${JSON.stringify(shell)}`, { code: "BRIG_BAD_USAGE", hint: "bash, zsh and fish" });
    }
    print(shells[shell as keyof typeof shells](await loadForms()));
  },
};
