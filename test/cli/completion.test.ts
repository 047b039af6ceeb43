import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { renderBash } from "../../src/cli/completion/bash.js";
import { renderFish } from "../../src/cli/completion/fish.js";
import { type CompletedCommand, loadForms } from "../../src/cli/completion/forms.js";
import { renderZsh } from "../../src/cli/completion/zsh.js";

const folder = mkdtempSync(join(tmpdir(), "brig-completion-"));
after(() => rmSync(folder, { recursive: true, force: true }));

async function writeScript(name: string, render: (commands: CompletedCommand[]) => string): Promise<string> {
  const file = join(folder, name);
  writeFileSync(file, render(await loadForms()));
  return file;
}

function has(shell: string): boolean {
  return spawnSync(shell, ["-c", "exit 0"]).status === 0;
}

/** What bash offers for a line, whose last word is the one being typed. */
async function completeInBash(words: string[]): Promise<string[]> {
  const quoted = words.map((word) => `'${word}'`).join(" ");
  const script = `${renderBash(await loadForms())}\nCOMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; compopt() { :; }; _brig; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr, status } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  assert.equal(stderr, "");
  return stdout.trim().split("\n");
}

test("bash offers commands, a command's options, and the words that an option takes", async (t) => {
  if (!has("bash")) return t.skip("bash is not installed");
  assert.ok((await completeInBash(["brig", "ru"])).includes("run"));
  const options = await completeInBash(["brig", "run", "--"]);
  for (const name of ["--read", "--net", "--no-tty", "--help"]) assert.ok(options.includes(name), name);
  assert.deepEqual(await completeInBash(["brig", "run", "--project", "re"]), ["read"]);
  assert.deepEqual(await completeInBash(["brig", "run", "--x11=xv"]), ["--x11=xvfb"]);
  assert.ok((await completeInBash(["brig", "run", "--x11", "tru"])).includes("true"));
  assert.deepEqual(await completeInBash(["brig", "completion", "f"]), ["fish"]);
  assert.ok((await completeInBash(["brig", "run", "--", "tru"])).includes("true"));
  assert.ok((await completeInBash(["brig", "run", "--read", "/us"])).includes("/usr"));
});

test("zsh reads its script", async (t) => {
  if (!has("zsh")) return t.skip("zsh is not installed");
  const file = await writeScript("_brig", renderZsh);
  const { stderr, status } = spawnSync("zsh", ["-f", "-n", file], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  const loaded = spawnSync("zsh", ["-f", "-c", `autoload -U compinit && compinit -u -D; source ${file}; print $_comps[brig]`], { encoding: "utf8" });
  assert.equal(loaded.stdout.trim(), "_brig", loaded.stderr);
});

test("fish offers commands and options", async (t) => {
  if (!has("fish")) return t.skip("fish is not installed");
  const file = await writeScript("brig.fish", renderFish);
  const complete = (line: string) => {
    const { stdout, stderr } = spawnSync("fish", ["--no-config", "-c", `source ${file}; complete -C '${line}'`], { encoding: "utf8" });
    assert.equal(stderr, "");
    return stdout;
  };
  assert.match(complete("brig ru"), /^run\t/m);
  assert.match(complete("brig run --rea"), /^--read\t/m);
  assert.match(complete("brig completion "), /^bash/m);
});
