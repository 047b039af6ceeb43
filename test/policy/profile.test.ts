import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { fc } from "../fast-check.js";
import { stringify } from "smol-toml";
import { BrigError } from "../../src/error/brig-error.js";
import { loadProfile } from "../../src/policy/profile.js";
import { listProfileOrigins } from "../../src/policy/profile-origins.js";
import { indexLines } from "../../src/policy/profile-lines.js";
import { describeProfileSchema } from "../../src/policy/profile-schema.js";

let folder = "";
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "brig-profile-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string | Buffer): string {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

/** The refusal's message, with the test's folder written as "DIR". */
function refusalOf(file: string): string {
  try {
    loadProfile(file);
  } catch (error) {
    assert.ok(error instanceof BrigError && error.code === "BRIG_BAD_PROFILE" && error.hint, String(error));
    return error.message.replaceAll(folder, "DIR");
  }
  assert.fail("was taken");
}

test("a TOML profile gives options, a command, and the line of each setting", () => {
  const file = write(
    "a.toml",
    `# a comment with = and [brackets]
read = ["/srv", # "not this"
  "/opt/x",
]
memory = "512MiB"
command = ["make", "-j2"]
"net" = 'host'

[env]
A = """
two
lines"""
"B C" = "x" # tail
`,
  );
  const { options, command, origins, files } = loadProfile(file);
  assert.deepEqual(options, { read: ["/srv", "/opt/x"], memory: "512MiB", net: "host", env: { A: "two\nlines", "B C": "x" } });
  assert.deepEqual(command, ["make", "-j2"]);
  assert.deepEqual(files, [file]);
  const lines = Object.fromEntries([...origins].map(([key, place]) => [key, place.line]));
  assert.deepEqual(lines, { read: 2, "read[0]": 2, "read[1]": 3, memory: 5, command: 6, net: 7, env: 9, "env.A": 10, "env.B C": 13 });
});

test("a JSON profile is the same, with an editor's $schema", () => {
  const file = write("a.json", '{\n  "$schema": "x", "read": [\n    "/srv",\n    "/a\\"]}"],\n  "env": {"A":\n"1"},\n  "init": false\n}');
  const { options, origins } = loadProfile(file);
  assert.deepEqual(options, { read: ["/srv", '/a"]}'], env: { A: "1" }, init: false });
  assert.deepEqual([origins.get("read[1]")?.line, origins.get("env.A")?.line, origins.get("init")?.line], [4, 5, 7]);
});

test("a profile without a name that says so is JSON when it begins with a brace", () => {
  assert.deepEqual(loadProfile(write("profile", ' {"init": true}')).options, { init: true });
});

test("relative host paths start at the file's own folder, and the places inside stay", () => {
  const file = write("p/a.toml", 'read = ["src", "~/x", "/abs/../b"]\nhide = [".env"]\nwrite = ["../out"]\nbind = ["data:/data:ro", "~/y:/y"]\nroot = "r"\nseccomp = "f.json"\ncwd = "work"\n');
  assert.deepEqual(loadProfile(file).options, {
    read: [join(folder, "p/src"), "~/x", "/b"],
    hide: [join(folder, "p/.env")],
    write: [join(folder, "out")],
    bind: [`${join(folder, "p/data")}:/data:ro`, "~/y:/y"],
    root: join(folder, "p/r"),
    seccomp: join(folder, "p/f.json"),
    cwd: "work",
  });
  assert.equal(loadProfile(write("b.toml", 'seccomp = "none"')).options.seccomp, "none");
});

test("a profile that builds on another joins lists, merges tables and replaces the rest", () => {
  const base = write("base/b.toml", 'read = ["x", "/y"]\nmemory = "1g"\nenv = { A = "1", B = "2" }\npids = 5\ncommand = ["a", "b"]\n');
  const file = write("top.toml", 'extends = "base/b.toml"\nread = ["/z", "/y"]\nmemory = "2g"\ncommand = ["c"]\n[env]\nB = "3"\n');
  const { options, command, origins, files } = loadProfile(file);
  assert.deepEqual(options, { read: [join(folder, "base/x"), "/z", "/y"], memory: "2g", env: { A: "1", B: "3" }, pids: 5 });
  assert.deepEqual(command, ["c"]);
  assert.deepEqual(files, [file, base]);
  assert.deepEqual(origins.get("read[0]"), { file: base, line: 1 });
  assert.deepEqual(origins.get("read[1]"), { file, line: 2 });
  assert.deepEqual(origins.get("read[2]"), { file, line: 2 });
  assert.deepEqual(origins.get("env.A"), { file: base, line: 3 });
  assert.deepEqual(origins.get("env.B"), { file, line: 6 });
  assert.deepEqual([origins.get("memory"), origins.get("pids")], [{ file, line: 3 }, { file: base, line: 4 }]);
});

test("the two forms of env join, whichever comes first, and keep their lines", () => {
  const table = write("t.toml", '[env]\nA = "1"\n');
  const list = write("l.toml", 'extends = "t.toml"\nenv = ["B=2"]');
  const again = loadProfile(write("x.toml", 'extends = "l.toml"\n[env]\nC = "3"\n'));
  assert.deepEqual(again.options.env, ["A=1", "B=2", "C=3"]);
  assert.deepEqual([0, 1, 2].map((index) => again.origins.get(`env[${index}]`)), [{ file: table, line: 2 }, { file: list, line: 2 }, { file: join(folder, "x.toml"), line: 3 }]);
});

test("the origins are pointers into the options with the setting in words", () => {
  const file = write("a.toml", 'read = [\n "/a",\n "/b"]\nmemory = "1g"\ncommand = ["x"]\n[env]\n"A/B" = "1"\n');
  const place = (line: number, text: string) => ({ kind: "profile", text, file, line });
  assert.deepEqual(listProfileOrigins(loadProfile(file)), {
    "/read": place(1, "read"),
    "/read/0": place(2, 'read = "/a"'),
    "/read/1": place(3, 'read = "/b"'),
    "/memory": place(4, 'memory = "1g"'),
    "/env": place(6, "env"),
    "/env/A~1B": place(7, 'env.A/B = "1"'),
  });
});

test("several bases come one after the other, and one that both build on is no loop", () => {
  write("root.toml", "pids = 1");
  write("a.toml", 'extends = "root.toml"\nname = "a"');
  write("b.json", '{"extends": "root.toml", "name": "b"}');
  assert.deepEqual(loadProfile(write("top.toml", 'extends = ["a.toml", "b.json"]')).options, { pids: 1, name: "b" });
});

test("a loop is refused by name, also one through links", () => {
  write("a.toml", 'init = true\nextends = "b.toml"');
  write("b.toml", 'extends = "a.toml"');
  assert.equal(refusalOf(join(folder, "a.toml")), "DIR/b.toml:1: DIR/a.toml builds on itself");
  const self = write("c.toml", 'extends = "d.toml"');
  symlinkSync(self, join(folder, "d.toml"));
  assert.match(refusalOf(self), /builds on itself/);
  const hard = write("e.toml", 'extends = "f.toml"');
  linkSync(hard, join(folder, "f.toml"));
  assert.match(refusalOf(hard), /builds on itself/);
});

test("16 profiles above each other are taken and 17 are not, nor a tree that grows without end", () => {
  for (let level = 0; level <= 18; level++) write(`${level}.toml`, level === 0 ? "pids = 9" : `extends = "${level - 1}.toml"`);
  assert.equal(loadProfile(join(folder, "16.toml")).options.pids, 9);
  assert.match(refusalOf(join(folder, "17.toml")), /too many profiles/);
  for (let level = 1; level <= 12; level++) write(`w${level}.toml`, `extends = ["${level === 1 ? "0.toml" : `w${level - 1}.toml`}", "0.toml", "${level === 1 ? "0.toml" : `w${level - 1}.toml`}"]`);
  assert.match(refusalOf(join(folder, "w12.toml")), /too many profiles/);
});

test("every problem of a profile comes with its file and line", () => {
  const message = refusalOf(write("a.toml", 'raed = ["/x"]\n\nread = [\n "/a",\n 3 ]\nmemory = "q"\n[env]\nA = 1\n'));
  assert.match(message, /^DIR\/a\.toml: 4 problems:\n/);
  for (const line of ["DIR/a.toml:1: raed: is not known; did you mean read?", "DIR/a.toml:5: read[1]: must be a string, not 3", 'DIR/a.toml:6: memory: "q" is not a size'])
    assert.ok(message.includes(line), `${line} in ${message}`);
  assert.match(message, /DIR\/a\.toml:[78]: env/);
});

test("what is no profile is refused in one line", () => {
  assert.equal(refusalOf(join(folder, "none.toml")), "cannot read the profile DIR/none.toml: No such file or directory");
  assert.equal(refusalOf(write("x.toml", 'pids = 1\nextends = "none.toml"')), "DIR/x.toml:2: cannot read the profile DIR/none.toml: No such file or directory");
  assert.match(refusalOf(folder), /Is a directory/);
  assert.match(refusalOf(write("a.toml", "a = 1\nb =\n")), /^DIR\/a\.toml:2:\d+: /);
  assert.match(refusalOf(write("b.toml", "pids = 1\npids = 2\n")), /^DIR\/b\.toml:2:\d+: /);
  assert.match(refusalOf(write("a.json", '{"pids": 1,\n}')), /^DIR\/a\.json(:2)?: not JSON/);
  assert.equal(refusalOf(write("b.json", '{"net": "none",\n"net": "host"}')), "DIR/b.json:2: net stands here for the second time");
  assert.match(refusalOf(write("c.json", "[1]")), /must be an object/);
  assert.match(refusalOf(write("bin.toml", Buffer.from([0x61, 0xff]))), /not UTF-8/);
  assert.match(refusalOf(write("nul.json", '{"name": "a\\u0000"}')), /NUL/);
});

test("a file that never ends is refused, and one that is deep or long does not break the reader", () => {
  assert.match(refusalOf("/dev/zero"), /more than 1 MiB/);
  assert.match(refusalOf(write("deep.json", `{"read": ${"[".repeat(20_000)}${"]".repeat(20_000)}}`)), /nested too deep|must be a string/);
  assert.match(refusalOf(write("deep.toml", `read = ${"[".repeat(20_000)}${"]".repeat(20_000)}`)), /DIR\/deep\.toml/);
  assert.deepEqual(loadProfile(write("long.toml", `${"#\n".repeat(500_000)}pids = 1`)).origins.get("pids")?.line, 500_001);
  assert.equal(loadProfile(write("string.json", `{"name":\n"x", "env": {"A": "${"y".repeat(1_000_000)}"},\n"pids": 3}`)).origins.get("pids")?.line, 3);
});

test("a profile comes through a pipe as well", () => {
  const module = join(dirname(fileURLToPath(import.meta.url)), "../../src/policy/profile.js");
  const code = `import { loadProfile } from ${JSON.stringify(module)}; console.log(JSON.stringify(loadProfile("/dev/stdin").options))`;
  const { stdout, stderr } = spawnSync("sh", ["-c", 'echo "pids = 7" | "$0" --input-type=module -e "$1"', process.execPath, code], { encoding: "utf8" });
  assert.equal(stdout, '{"pids":7}\n', stderr);
});

test("the lines of whatever is well-formed are found, in TOML and in JSON", () => {
  const key = fc.string({ minLength: 1, unit: fc.constantFrom("a", "b", '"', "'", "#", "=", "[", "\\", "\n", "é", "_") });
  const word = fc.string({ unit: fc.constantFrom("a", '"', "'", "#", ",", "]", "}", "\\", "\n") });
  fc.assert(
    fc.property(fc.dictionary(key, fc.oneof(word, fc.array(word), fc.integer(), fc.boolean()), { minKeys: 1 }), (document) => {
      const json = indexLines(JSON.stringify(document, null, 1), "json");
      const toml = indexLines(stringify(document), "toml");
      assert.deepEqual(json.repeated, []);
      for (const [index, name] of Object.keys(document).entries()) assert.equal(toml.lines.get(name), index + 1, stringify(document));
      assert.deepEqual(new Set(json.lines.keys()), new Set(toml.lines.keys()));
    }),
  );
});

test("any text at all ends in lines, without an exception", () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom("[", "]", "{", "}", '"', "'", "=", ":", ",", "#", "\n", "a", ".", "\\"), maxLength: 60 }), (text) => void (indexLines(text, "toml"), indexLines(text, "json"))));
});

test("the published JSON Schema is the one that profiles are held against", () => {
  const published = join(dirname(fileURLToPath(import.meta.url)), "../../../docs/profile.schema.json");
  assert.deepEqual(JSON.parse(readFileSync(published, "utf8")), describeProfileSchema(), "run node scripts/profile-schema.mjs");
});

test("every key of the published schema has a description", () => {
  const { properties } = describeProfileSchema() as { properties: Record<string, { description?: string }> };
  for (const [key, { description }] of Object.entries(properties)) assert.ok(description, key);
});

test("the profile in the docs is taken", () => {
  const page = readFileSync(join(dirname(fileURLToPath(import.meta.url)), "../../../docs/profiles.md"), "utf8");
  write("base.toml", "pids = 100\n");
  const { options, command } = loadProfile(write("build.toml", /```toml\n([^]*?)```/.exec(page)?.[1] ?? "missing"));
  assert.deepEqual(command, ["make", "-j4"]);
  assert.deepEqual({ pids: options.pids, project: options.project, env: options.env }, { pids: 100, project: "write", env: { CC: "clang" } });
});

test("a profile that the caller may not read is refused", (t) => {
  if (process.getuid?.() !== 0) return t.skip("needs root to become another user");
  const module = join(dirname(fileURLToPath(import.meta.url)), "../../src/policy/profile.js");
  const file = write("a.toml", "pids = 7");
  chmodSync(folder, 0o755);
  chmodSync(file, 0o600);
  const code = `import { loadProfile } from ${JSON.stringify(module)}; process.setgroups([]); process.setgid(65534); process.setuid(65534); try { loadProfile(${JSON.stringify(file)}); } catch (error) { console.log(error.code, error.message); }`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8" });
  assert.equal(stdout, `BRIG_BAD_PROFILE cannot read the profile ${file}: Permission denied\n`, stderr);
});
