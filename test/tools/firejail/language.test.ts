import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fc } from "../../fast-check.js";
import { parseConfig } from "../../../src/tools/firejail/config.js";
import { compileSegment, makeMatcher } from "../../../src/tools/firejail/glob.js";
import { cleanLine, isIgnored } from "../../../src/tools/firejail/line.js";
import { type Load, loadProfile } from "../../../src/tools/firejail/load.js";
import { parseUserDirs } from "../../../src/tools/firejail/macros.js";
import { openProfileFiles } from "../../../src/tools/firejail/profile-files.js";
import type { Rule } from "../../../src/tools/firejail/rule.js";

function loadFiles(t: TestContext, files: Record<string, string>, given: Rule[] = []): Load {
  const home = mkdtempSync(join(tmpdir(), "brig-language-"));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  mkdirSync(join(home, ".config/firejail"), { recursive: true });
  mkdirSync(join(home, "system"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(home, name.startsWith("user/") ? `.config/firejail/${name.slice(5)}` : `system/${name}`), text);
  const system = join(home, "system");
  const places = { home, runUser: "/run/user/1", system, findXdgFolder: () => undefined };
  const load: Load = { files: openProfileFiles(home, system), places, config: parseConfig(""), rules: [...given], ignored: new Set(), skipped: [] };
  loadProfile(load, join(system, "main.profile"));
  return load;
}

const texts = ({ rules }: Load): string[] => rules.map(({ name, value }) => `${name} ${value}`.trim());

test("comments go wherever they stand, and blanks are one", () => {
  assert.equal(cleanLine("  blacklist \t ${HOME}/My  Files# why"), "blacklist ${HOME}/My Files");
  assert.equal(cleanLine("# nothing"), "");
});

test("ignore takes out a line that is its words or begins with them up to a blank", () => {
  assert.ok(isIgnored("net eth0", ["net"]));
  assert.ok(isIgnored("net", ["net"]));
  assert.ok(!isIgnored("netfilter", ["net"]));
  assert.ok(!isIgnored("net", ["net none"]));
});

test("ignore holds for the lines behind it and for includes, not for those before", (t) => {
  const load = loadFiles(t, { "main.profile": "seccomp\nignore seccomp\nignore include b.inc\nseccomp !chroot\ninclude a.inc\ninclude b.inc\n", "a.inc": "seccomp\nnoroot\n", "b.inc": "nogroups\n" });
  assert.deepEqual(texts(load), ["seccomp", "noroot"]);
});

test("the user's folder comes before the system's, and a missing .local file is none", (t) => {
  const load = loadFiles(t, { "main.profile": "include none.local\ninclude a.inc\ninclude ${CFG}/a.inc\n", "a.inc": "nice 1\n", "user/a.inc": "nice 2\n" });
  assert.deepEqual(texts(load), ["nice 2", "nice 1"]);
});

test("a condition sees what stands before it", (t) => {
  const load = loadFiles(t, { "main.profile": "?HAS_NOSOUND: noroot\nnosound\n?HAS_NOSOUND: nogroups\n?BROWSER_DISABLE_U2F: nou2f\n?ALLOW_TRAY: notv\n" });
  assert.deepEqual(texts(load), ["nosound", "nogroups", "nou2f"]);
  assert.deepEqual(load.skipped.map(({ why }) => why), ["HAS_NOSOUND does not hold", "ALLOW_TRAY does not hold"]);
});

test("what is no line of the language is an error with file and line", (t) => {
  for (const [text, said] of [["nosuch thing", /main\.profile:2: nosuch thing: there is no directive/], ["noroot yes", /takes no value/], ["blacklist", /needs a value/], ["?NOPE: noroot", /no condition/], ["include nowhere.inc", /no such file/], ["include main.profile", /more than 16 deep/]] as const)
    assert.throws(() => loadFiles(t, { "main.profile": `quiet\n${text}\n` }), { code: "BRIG_BAD_PROFILE", message: said });
});

test("folders of the user are read from user-dirs.dirs; the home itself is none", () => {
  const folders = parseUserDirs('XDG_DOWNLOAD_DIR="$HOME/Down load"\nXDG_MUSIC_DIR="$HOME/"\nXDG_DESKTOP_DIR="/d"\n', "/h");
  assert.deepEqual([...folders], [["DOWNLOAD", "/h/Down load"], ["DESKTOP", "/d"]]);
});

test("no wildcard crosses a slash", () => {
  assert.ok(makeMatcher("/run/user/1/*firefox*")("/run/user/1/afirefoxb"));
  assert.ok(!makeMatcher("/run/*firefox")("/run/user/firefox"));
  assert.ok(compileSegment("[a-c]?*.[!x]")("bq.y"));
});

test("a pattern matches what a regular expression made from it matches", () => {
  const letter = fc.constantFrom("a", "b", "*", "?");
  fc.assert(
    fc.property(fc.array(letter, { maxLength: 8 }), fc.array(fc.constantFrom("a", "b"), { maxLength: 8 }), (pattern, name) => {
      const expression = new RegExp(`^${pattern.map((each) => (each === "*" ? ".*" : each === "?" ? "." : each)).join("")}$`);
      assert.equal(compileSegment(pattern.join(""))(name.join("")), expression.test(name.join("")));
    }),
  );
});
