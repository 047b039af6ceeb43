import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fc } from "../../fast-check.js";
import { parseNspawn } from "../../../src/tools/nspawn/grammar.js";
import { nspawnHelp } from "../../../src/tools/nspawn/help.js";
import { formatUuid, parseBindMount, parseOverlayMount, parsePort, splitColons } from "../../../src/tools/nspawn/values.js";

function parse(...words: string[]) {
  const parsed = parseNspawn(words);
  assert.notEqual(typeof parsed, "string");
  return (parsed as Exclude<typeof parsed, string>).options;
}

test("letters and long words say the same, joined and apart", () => {
  const { command, ...long } = parse("--boot", "--directory=/srv/x", "--machine", "m", "--quiet", "--network-veth", "--", "a", "-b");
  const short = parse("-bqnD", "/srv/x", "-Mm", "a", "-b");
  assert.deepEqual({ ...long, command }, short);
  assert.deepEqual(command, ["a", "-b"]);
});

test("every option that systemd-nspawn's help lists is understood", (t) => {
  const help = spawnSync("systemd-nspawn", ["--help"], { encoding: "utf8" });
  if (help.status !== 0) return t.skip("systemd-nspawn is not installed");
  const names = new Set([...help.stdout.matchAll(/^ {2,}(?:-\w )?--([a-z-]+)/gm)].map(([, name]) => name!));
  assert.ok(names.size > 60);
  const unknown = [...names].filter((name) => /unrecognized option/.test(messageOf([`--${name}`, "x"])));
  assert.deepEqual(unknown, []);
});

test("every option of the help is understood", () => {
  const names = [...nspawnHelp.matchAll(/--([a-z][a-z-]+)/g)].map(([, name]) => name!);
  for (const name of names) assert.doesNotMatch(messageOf([`--${name}`, "x"]), /unrecognized option/, name);
});

function messageOf(words: string[]): string {
  try {
    parseNspawn(words);
    return "";
  } catch (error) {
    assert.equal((error as { exitCode?: number }).exitCode, 1, String(error));
    return (error as Error).message;
  }
}

test("what systemd-nspawn refuses is refused, in its sense and with its status", () => {
  const cases: [string[], RegExp][] = [
    [["--foo"], /unrecognized option '--foo'/],
    [["-D"], /requires an argument/],
    [["-D", "/a", "-i", "/b"], /may not be combined/],
    [["-ab"], /may not be combined/],
    [["-x", "--read-only"], /may not be combined/],
    [["--template=/x"], /needs --directory= or --machine=/],
    [["-M", "a b"], /Invalid machine name/],
    [["--uuid=12"], /Invalid UUID/],
    [["--uuid=00000000000000000000000000000000"], /all zeroes/],
    [["--private-users=x"], /Failed to parse UID\/GID range/],
    [["--bind=x"], /not absolute/],
    [["--tmpfs=../x"], /no absolute path/],
    [["--overlay=/x"], /at least two/],
    [["-p", "0"], /Failed to parse host port/],
    [["--rlimit=FOO=1"], /Unknown resource limit/],
    [["--rlimit=nofile=9:1"], /Can't parse resource limit/],
    [["--capability=CAP_FOO"], /Failed to parse capability/],
    [["--console=x"], /Failed to parse --console=/],
    [["--chdir=x"], /not an absolute path/],
    [["--suppress-sync=yes"], /not supported by brig/],
    [["--root-hash=00"], /not supported by brig/],
    [["--network-veth-extra=a/b"], /not valid/],
    [["--set-credential=../x:y"], /Credential name is not valid/],
  ];
  for (const [words, expected] of cases) assert.match(messageOf(words), expected, words.join(" "));
});

test("an empty value takes back the mounts that were said before", () => {
  assert.equal(parse("--bind=/a", "--tmpfs=/b", "--bind=").mounts.length, 0);
});

test("mounts are read with their options, and a backslash keeps a colon", () => {
  assert.deepEqual(splitColons(String.raw`/a\:b:/c`), ["/a:b", "/c"]);
  const bind = parseBindMount(String.raw`-+/a\:b:/c/../d/./e:norbind,idmap`.replace("/c/../d", "/d"), true, "--bind-ro=");
  assert.deepEqual(bind, { kind: "bind", source: "+/a:b", destination: "/d/e", readOnly: true, optional: true, recursive: false, idmap: "id", text: String.raw`--bind-ro=-+/a\:b:/d/./e:norbind,idmap` });
  assert.throws(() => parseBindMount("/a:/c/../d", false, "--bind="), /no absolute path/);
  assert.deepEqual(parseOverlayMount("/l1:/l2:/u:/d", false), { kind: "overlay", lower: ["/l1", "/l2"], upper: "/u", destination: "/d", text: "--overlay=/l1:/l2:/u:/d" });
  assert.deepEqual(parseOverlayMount("/l:/d", true), { kind: "overlay", lower: ["/l", "/d"], upper: undefined, destination: "/d", text: "--overlay-ro=/l:/d" });
  assert.deepEqual(parsePort("udp:53:5353"), { protocol: "udp", host: 53, inner: 5353 });
});

test("whatever is typed, the parser answers or refuses with status 1", () => {
  const word = fc.oneof(fc.string(), fc.constantFrom("-b", "-D", "--bind=", "--overlay", "--rlimit=nofile=", "--private-users=", "-p", "--set-credential=", "--volatile="), fc.string().map((text) => `--bind=/${text}`), fc.string().map((text) => `-p${text}`));
  fc.assert(fc.property(fc.array(word, { maxLength: 6 }), (words) => {
    // what is read from a file is no part of the grammar
    if (words.some((each) => each.startsWith("--load"))) return;
    messageOf(words);
  }));
});

test("a UUID keeps its digits", () => {
  assert.equal(formatUuid("0123456789abcdef0123456789abcdef"), "01234567-89ab-cdef-0123-456789abcdef");
});
