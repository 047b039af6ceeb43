import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { identities, openStage, type Ran, type Stage } from "../walls/stage.js";

const who = identities[0]!;
let stage: Stage;
let mounts = "";

before(() => {
  stage = openStage();
  const at = (name: string): string => join(stage.project(who), name);
  writeFileSync(at("noexec"), "#!/bin/sh\necho x\n", { mode: 0o644 });
  writeFileSync(at("nointerp"), "#!/no/such/interpreter\n", { mode: 0o755 });
  writeFileSync(at("text"), "echo hello\n", { mode: 0o755 });
  writeFileSync(at("empty"), "", { mode: 0o755 });
  writeFileSync(at("huge.toml"), `[env]\nHUGE = "${"x".repeat(200_000)}"\n`);
  writeFileSync(at("bad.toml"), 'memory = "lots"\nwirte = ["."]\n');
  mkdirSync(at("folder"));
  mkdirSync(at("new\nline"));
  writeFileSync(at("new\nline/inside"), "");
  symlinkSync("loop-b", at("loop-a"));
  symlinkSync("loop-a", at("loop-b"));
  mounts = readFileSync("/proc/self/mountinfo", "utf8");
});
after(() => stage.close());

/** One refusal: exit status, first line, and whether it says who asked and what to do. */
interface Case {
  words: string[];
  code: number;
  /** What follows "brig: "; $P is the project folder. */
  message: string;
  asked?: string;
  hint: string;
}

const TRUE = ["--", "true"];
const run = (...words: string[]): string[] => ["run", ...words, ...TRUE];
const notThere = "it is not in the sandbox, or its interpreter or loader is not: see what is there with `brig run -- ls`";
const noProgram = "it is no program for this machine: a script needs a first line such as #!/bin/sh";
const noExec = "it is not executable, or lies on a mount without exec: chmod +x, or bind it elsewhere";
const sizes = 'write bytes or a unit of 1024: 1048576, "512MiB", "1.5g"';
const times = 'write a number with its unit: "30s", "1m30s", "500ms", "2h"';

const CASES: Record<string, Case[]> = {
  "an option that there is not": [
    { words: run("--wirte", "."), code: 125, message: "unknown option --wirte of brig run", hint: "did you mean --write?" },
    { words: run("--wat"), code: 125, message: "unknown option --wat of brig run", hint: "brig run --help lists the options" },
    { words: ["rnu", ...TRUE], code: 125, message: 'brig has no command "rnu"', hint: "did you mean brig run?" },
    { words: ["run", "--read"], code: 125, message: "--read wants a value: --read PATH", hint: "brig run --help shows how it is used" },
  ],
  "a command that is none": [
    { words: ["run"], code: 125, message: "no command was given", hint: "brig run -- COMMAND" },
    { words: ["run", "--"], code: 125, message: "no command was given", hint: "brig run -- COMMAND" },
    { words: ["run", "--", ""], code: 127, message: "the command's name is empty", hint: "a shell variable in its place may be unset" },
    { words: ["run", "--", "no-such-command"], code: 127, message: 'cannot run "no-such-command": there is no such program on the PATH that the payload sees', hint: "check its name, or name it by its path" },
    { words: ["run", "--", "./missing"], code: 127, message: "cannot execute ./missing: No such file or directory", hint: notThere },
    { words: ["run", "--", "/no/such/command"], code: 127, message: "cannot execute /no/such/command: No such file or directory", hint: notThere },
    { words: ["run", "--", "./nointerp"], code: 127, message: "cannot execute ./nointerp: No such file or directory", hint: notThere },
    { words: ["run", "--", "./noexec"], code: 126, message: "cannot execute ./noexec: Permission denied", hint: noExec },
    { words: ["run", "--", "./folder"], code: 126, message: "cannot execute ./folder: Permission denied", hint: noExec },
    { words: ["run", "--", "./text"], code: 126, message: "cannot execute ./text: Exec format error", hint: noProgram },
    { words: ["run", "--", "./empty"], code: 126, message: "cannot execute ./empty: Exec format error", hint: noProgram },
    { words: ["run", "--", "./loop-a"], code: 126, message: "cannot execute ./loop-a: Too many levels of symbolic links", hint: "its links go round in a loop: check it with namei -l" },
    { words: ["run", "--profile", "huge.toml", "--", "/usr/bin/true"], code: 126, message: "cannot execute /usr/bin/true: Argument list too long", hint: "its arguments and environment are too long together: pass them in a file" },
  ],
  "a path that leads nowhere": [
    { words: run("--read", "/no/such"), code: 125, message: 'cannot show "/no/such" to the payload: it does not exist', asked: "--read /no/such", hint: "make it first, or leave it out" },
    { words: run("--write", "no/such"), code: 125, message: 'cannot show "$P/no/such" to the payload: it does not exist', asked: "--write no/such", hint: "make it first, or leave it out" },
    { words: run("--read", ""), code: 125, message: 'read: "" is no path', asked: "--read ", hint: 'the working folder is "."' },
    { words: run("--read", "loop-a"), code: 125, message: 'cannot show "$P/loop-a" to the payload: its links go round in a loop', asked: "--read loop-a", hint: "check the path with namei -l" },
    { words: run("--root", "loop-a"), code: 125, message: 'cannot show "$P/loop-a" to the payload: its links go round in a loop', asked: "--root loop-a", hint: "check the path with namei -l" },
    { words: run("--root", "file"), code: 125, message: "$P/file is no folder", asked: "--root file", hint: "brig jail build makes one with the programs that you name" },
    { words: run("--write", "/"), code: 125, message: "the whole host cannot be made writable", asked: "--write /", hint: "name the folders that the payload is to change" },
    { words: run("--bind", "/usr"), code: 125, message: 'bind: "/usr" is not a bind', asked: "--bind /usr", hint: 'write SRC:DST or SRC:DST:ro with an absolute DST; a colon in a path is written "\\:"' },
    { words: run("--bind", "/usr:here"), code: 125, message: 'bind: "/usr:here" has a relative place inside', asked: "--bind /usr:here", hint: 'write SRC:DST or SRC:DST:ro with an absolute DST; a colon in a path is written "\\:"' },
    { words: run("--tmpfs", "here"), code: 125, message: 'tmpfs: "here" is not a place for a tmpfs', asked: "--tmpfs here", hint: "write /PATH or /PATH:size=64MiB,mode=0755,exec (or noexec)" },
    { words: run("--device", "/dev/nope"), code: 125, message: 'cannot show "/dev/nope" to the payload: it does not exist', asked: "--device /dev/nope", hint: "make it first, or leave it out" },
  ],
  "a size, a time, a number that is none": [
    { words: run("--memory", "lots"), code: 125, message: 'memory: "lots" is not a size', asked: "--memory lots", hint: sizes },
    { words: run("--memory", "-1"), code: 125, message: 'memory: "-1" is not a size', asked: "--memory -1", hint: sizes },
    { words: run("--memory", "1KiB"), code: 125, message: 'memory cannot be "1KiB"', asked: "--memory 1KiB", hint: "the least that a process can start in is 1MiB" },
    { words: run("--memory", "99999999999TiB"), code: 125, message: 'memory: "99999999999TiB" is too big a size', asked: "--memory 99999999999TiB", hint: "the most is 8191 TiB" },
    { words: run("--tmpfs", "/x:size=wat"), code: 125, message: 'tmpfs: size: "wat" is not a size', asked: "--tmpfs /x:size=wat", hint: sizes },
    { words: run("--timeout", "soon"), code: 125, message: 'timeout: "soon" is not a time', hint: times },
    { words: run("--timeout", "-1s"), code: 125, message: 'timeout: "-1s" is not a time', hint: times },
    { words: run("--pids", "0"), code: 125, message: "pids cannot be 0", asked: "--pids 0", hint: "a whole number from 1, or none" },
    { words: run("--pids", "x"), code: 125, message: '--pids cannot be "x"', asked: "--pids x", hint: "it is one of: a number" },
    { words: run("--cpus", "NaN"), code: 125, message: '--cpus cannot be "NaN"', asked: "--cpus NaN", hint: "it is one of: a number" },
    { words: run("--umask", "999"), code: 125, message: 'umask: "999" is not a mode', asked: "--umask 999", hint: 'write octal digits up to 7777, such as "0755"' },
    { words: run("--rlimit", "nofile=9:1"), code: 125, message: 'rlimit: "nofile=9:1" has a soft limit above the hard one', hint: "the soft limit comes first and is the lower" },
  ],
  "a name that is none": [
    { words: run("--net", "wat"), code: 125, message: 'there is no network called "wat"', asked: "--net wat", hint: "none, host, user, netns=NAME, veth, bridge, bridge=NAME, macvlan=INTERFACE, or one of brig network ls" },
    { words: run("--net", "netns=../x"), code: 125, message: '"../x" is no name of a network namespace', asked: "--net netns=../x", hint: "brig netns list" },
    { words: run("--share", "mount"), code: 125, message: "the mount namespace cannot be shared: it is what hides the host's files", asked: "--share mount", hint: "--read and --write show what you name; brig unshare leaves out what you like" },
    { words: run("--share", "wat"), code: 125, message: 'there is no namespace "wat"', asked: "--share wat", hint: "pid, ipc, uts, net, user, cgroup, time" },
    { words: run("--cap-add", "CAP_WAT"), code: 125, message: 'capAdd: "CAP_WAT" is not a capability', asked: "--cap-add CAP_WAT", hint: "capabilities(7) lists them" },
    { words: run("--user", "no-such-user"), code: 125, message: 'the sandbox\'s root knows no user in "no-such-user"', asked: "--user no-such-user", hint: "a number works always: --user 1000:1000" },
    { words: run("--hostname", "a".repeat(65)), code: 125, message: `"${"a".repeat(65)}" is no host name`, asked: `--hostname ${"a".repeat(65)}`, hint: "letters, digits, dots and hyphens, at most 64" },
    { words: run("--name", "../../etc/x"), code: 125, message: '"../../etc/x" is no name for a sandbox', asked: "--name ../../etc/x", hint: "letters, digits, _ . and -, beginning with a letter or digit, at most 63" },
    { words: run("--env", "=x"), code: 125, message: 'env: "=x" has no name', asked: "--env =x", hint: "write NAME=value, or NAME to take the caller's" },
    { words: run("--sysctl", "kernel.core_pattern=x"), code: 125, message: "the sysctl kernel.core_pattern belongs to no namespace: setting it would change the host", asked: "--sysctl kernel.core_pattern=x", hint: "set it on the host with sysctl(8)" },
    { words: ["exec", "nope", ...TRUE], code: 125, message: 'there is no sandbox "nope"', hint: "brig ps -a lists them" },
    { words: ["logs", "nope"], code: 125, message: 'there is no sandbox "nope"', hint: "brig ps -a lists them" },
  ],
  "a file that holds something else": [
    { words: run("--profile", "/no/such.toml"), code: 125, message: "cannot read the profile /no/such.toml: No such file or directory", hint: "name a TOML or JSON file that you may read" },
    { words: ["plan", "--recompile", "file"], code: 125, message: "this is no whole plan: it is cut short", hint: "compile it again with `brig plan --out FILE …`" },
    { words: ["plan", "--out", "/no/such/folder/x", ...TRUE], code: 125, message: "cannot write the plan /no/such/folder/x: No such file or directory", asked: "--out /no/such/folder/x", hint: "name a file in a folder that you may write" },
    { words: ["--plan", "/no/such"], code: 125, message: "/no/such: no such plan", hint: "brig plan --out FILE -- COMMAND writes one" },
    { words: ["--plan", "file"], code: 125, message: "file: the plan is cut short", hint: "brig plan --out FILE -- COMMAND writes one" },
    { words: ["--plan", "folder"], code: 125, message: "folder: the plan is unreadable", hint: "brig plan --out FILE -- COMMAND writes one" },
    { words: ["--plan", "empty"], code: 125, message: "empty: the plan is cut short", hint: "brig plan --out FILE -- COMMAND writes one" },
  ],
};

/** "brig: MESSAGE", who asked for it, and what to do: three lines at most, whatever was typed. */
function checkRefusal(ran: Ran, { code, message, asked, hint }: Case): void {
  const lines = [`brig: ${message.replaceAll("$P", stage.project(who))}`, ...(asked === undefined ? [] : [`  asked for by: ${asked}`]), `  hint: ${hint}`];
  const said = ran.stderr.trimEnd().split("\n").filter((line) => asked !== undefined || !line.startsWith("  asked for by: "));
  assert.deepEqual({ said, stdout: ran.stdout, code: ran.code }, { said: lines, stdout: "", code });
  assert.doesNotMatch(ran.stderr, /^ {4}at |node:|BRIG_BUG|defect of brig/m);
}

for (const [what, cases] of Object.entries(CASES))
  describe(what, { concurrency: 3 }, () => {
    for (const each of cases)
      it(`is refused: brig ${each.words.map((word) => (word === "" ? "''" : word.slice(0, 40))).join(" ")}`, async () => checkRefusal(await stage.brigAs(who, each.words), each));
  });

describe("odd input that is none the less right", () => {
  it("a path with a newline in it is shown, and named in a refusal on one line", async () => {
    const ran = await stage.brigAs(who, ["run", "--read", "new\nline", "--", "ls", "new\nline"]);
    assert.deepEqual([ran.stdout, ran.code], ["inside\n", 0], ran.stderr);
    const refused = await stage.brigAs(who, run("--read", "/no\nsuch"));
    assert.equal(refused.stderr.split("\n")[0], 'brig: cannot show "/no\\nsuch" to the payload: it does not exist');
  });

  it("an argument as long as the kernel takes goes through whole", async () => {
    const ran = await stage.brigAs(who, ["run", "--", "printf", "%s", "x".repeat(131_000)]);
    assert.deepEqual([ran.stdout.length, ran.code], [131_000, 0]);
  });

  it("names of variables with spaces and newlines in them set no other variable", async () => {
    const ran = await stage.brigAs(who, ["run", "--env", "A B=x", "--env", "C\nPATH=/evil", "--", "sh", "-c", "tr '\\0' '\\n' < /proc/self/environ | grep -c ^PATH=/; command -v ls"]);
    assert.equal(ran.code, 0, ran.stderr);
    assert.doesNotMatch(ran.stdout, /evil/);
  });

  it("a NUL is refused where a file can hold one", async () => {
    writeFileSync(join(stage.project(who), "nul.json"), JSON.stringify({ read: ["/usr\0/etc"] }));
    const ran = await stage.brigAs(who, ["run", "--profile", "nul.json", ...TRUE]);
    assert.equal(ran.code, 125);
    assert.match(ran.stderr, /NUL/);
    assert.doesNotMatch(ran.stderr, /^ {4}at /m);
  });

  it("every problem of a profile is told at once, with its line", async () => {
    const ran = await stage.brigAs(who, ["run", "--profile", "bad.toml", ...TRUE]);
    assert.equal(ran.code, 125);
    assert.match(ran.stderr, /bad\.toml:1.*memory/s);
    assert.match(ran.stderr, /bad\.toml:2.*wirte/s);
    assert.doesNotMatch(ran.stderr, /^ {4}at /m);
  });

  it("a caller whose standard descriptors are closed gives the payload none of brig's", async () => {
    const ran = await stage.brigAs(who, [], { through: ["/bin/sh", "-c", `"${stage.brig}" run -- sh -c 'ls /proc/self/fd; cat' <&- 2>&1`, "--"] });
    assert.equal(ran.stdout.replace(/\s+/g, " ").trim(), "0 1 2 3", ran.stderr);
  });
});

describe("after all of that", () => {
  it("nothing has changed", () => {
    assert.equal(readFileSync("/proc/self/mountinfo", "utf8"), mounts);
    const names = readdirSync(stage.project(who)).sort();
    assert.deepEqual(names, ["bad.toml", "empty", "file", "folder", "huge.toml", "loop-a", "loop-b", "new\nline", "noexec", "nointerp", "nul.json", "text"]);
    assert.equal(readFileSync(join(stage.project(who), "file"), "utf8"), "of the project\n");
    assert.ok(!existsSync("/no"));
  });
});
