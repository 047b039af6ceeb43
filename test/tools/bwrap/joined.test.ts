import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { test, type TestContext } from "node:test";
import { findLauncher } from "../../../src/launch/find-launcher.js";
import { isRoot, needsBwrap } from "./both.js";

const BOTH: [name: string, command: string[]][] = [["bwrap", ["bwrap"]], ["brig", [findLauncher(), "bwrap"]]];
const ROOT = ["--ro-bind", "/", "/"];
const ENV = { PATH: process.env["PATH"], HOME: "/", LC_ALL: "C.UTF-8", BRIG_NO_CACHE: "1" };

/** Which namespace, who in it, and by which map. */
const WHO = (type: string): string[] => ["sh", "-c", `readlink /proc/self/ns/${type}; id -u; id -g; cat /proc/self/uid_map`];

/** A process that keeps a namespace for a test; its own, or of one that it made. */
async function hold(t: TestContext, type: "user" | "pid", words: string[]): Promise<number> {
  const child = spawn(words[0]!, words.slice(1), { stdio: "ignore", detached: true });
  t.after(() => process.kill(-child.pid!, "SIGKILL"));
  for (;;) {
    const pid = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim().split(" ")[0]) || child.pid!;
    const isReady = type === "pid" ? pid !== child.pid : readFileSync(`/proc/${pid}/setgroups`, "utf8") === "deny\n" && readFileSync(`/proc/${pid}/gid_map`, "utf8") !== "";
    if (isReady && readlinkSync(`/proc/${pid}/ns/${type}`) !== readlinkSync(`/proc/self/ns/${type}`)) return pid;
    assert.equal(child.exitCode, null, `${words.join(" ")} ended`);
    await sleep(10);
  }
}

const makeUsers = ["unshare", "--user", "--map-root-user", "sleep", "60"];

function lacksUsers(t: TestContext): boolean {
  const lacks = spawnSync(makeUsers[0]!, ["--user", "--map-root-user", "true"]).status !== 0;
  if (lacks) t.skip("no user namespaces for this user here");
  return lacks;
}

interface Answer {
  status: number | null;
  stdout: string;
  stderr: string;
}

function collect(stream: Readable): () => string {
  let text = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  return () => text;
}

/** Runs it with these files open from descriptor 3 on. */
async function run(command: string[], words: string[], files: string[]): Promise<Answer> {
  const fds = files.map((file) => openSync(file, "r"));
  const child = spawn(command[0]!, [...command.slice(1), ...words], { env: ENV, cwd: "/", stdio: ["ignore", "pipe", "pipe", ...fds], timeout: 20_000 });
  fds.forEach(closeSync);
  return await finish(child);
}

async function finish(child: ChildProcess): Promise<Answer> {
  const [stdout, stderr] = [collect(child.stdout!), collect(child.stderr!)];
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { status, stdout: stdout(), stderr: stderr() };
}

async function answerBoth(words: string[], files: string[]): Promise<Answer> {
  const answers: Answer[] = [];
  for (const [, command] of BOTH) answers.push(await run(command, words, files));
  assert.deepEqual(answers[1], answers[0], words.join(" "));
  return answers[1]!;
}

test("--userns and --userns2 join the user namespaces of descriptors, as with bwrap", async (t) => {
  if (needsBwrap(t) || lacksUsers(t)) return;
  const outer = await hold(t, "user", makeUsers);
  const inner = await hold(t, "user", ["nsenter", "--user", "--preserve-credentials", "--target", String(outer), ...makeUsers]);
  const [one, two] = [outer, inner].map((pid) => `/proc/${pid}/ns/user`) as [string, string];
  const joined = await answerBoth([...ROOT, "--userns", "3", ...WHO("user")], [one]);
  assert.ok(joined.stdout.startsWith(`${readlinkSync(one)}\n0\n0\n`), joined.stderr);
  const mounts = ["--dev", "/dev", "--tmpfs", "/tmp", "--unshare-pid", "--proc", "/proc"];
  assert.equal((await answerBoth([...ROOT, "--userns", "3", ...mounts, "sh", "-c", "touch /tmp/x; stat -c %u:%n /tmp /tmp/x; ls /dev; echo $$"], [one])).status, 0);
  const second = await answerBoth([...ROOT, "--userns", "3", "--userns2", "4", ...WHO("user")], [one, two]);
  assert.ok(second.stdout.startsWith(`${readlinkSync(two)}\n`), second.stderr);
  const strange = await answerBoth([...ROOT, "--unshare-user", "--userns2", "3", "true"], [two]);
  assert.match(strange.stderr, /Setting userns2 failed/, "it is no descendant of the new one");
  assert.equal((await answerBoth([...ROOT, "--userns", "3", "--unshare-user", "true"], [one])).status, 1);
});

test("--pidns joins the pid namespace of a descriptor, which --info-fd tells of, as with bwrap", async (t) => {
  if (needsBwrap(t)) return;
  if (!isRoot) return t.skip("another's pid namespace is for root");
  const holder = await hold(t, "pid", ["unshare", "--fork", "--pid", "sleep", "60"]);
  const [space, own] = [`/proc/${holder}/ns/pid`, "/proc/self/ns/pid"];
  const joined = await answerBoth([...ROOT, "--pidns", "3", "readlink", own], [space]);
  assert.equal(joined.stdout, `${readlinkSync(space)}\n`, joined.stderr);
  assert.equal((await answerBoth([...ROOT, "--pidns", "3", "readlink", own], [own])).stdout, `${readlinkSync(own)}\n`);
  for (const [, command] of BOTH) {
    const answer = await run(command, [...ROOT, "--pidns", "3", "--info-fd", "2", "readlink", own], [space]);
    assert.deepEqual(Object.keys(JSON.parse(answer.stderr) as object), ["child-pid", "mnt-namespace"]);
    assert.equal(answer.stdout, `${readlinkSync(space)}\n`);
  }
});

test("--userns-block-fd waits for whoever --info-fd told of the child to map its ids, as with bwrap", async (t) => {
  if (needsBwrap(t) || lacksUsers(t)) return;
  const [uid, gid] = [process.geteuid!(), process.getegid!()];
  const answers = [];
  for (const [, command] of BOTH) {
    const words = [...ROOT, "--unshare-user", "--info-fd", "3", "--userns-block-fd", "4", "sh", "-c", "id -u; id -g; cat /proc/self/uid_map /proc/self/gid_map"];
    const child = spawn(command[0]!, [...command.slice(1), ...words], { env: ENV, cwd: "/", stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"], timeout: 20_000 });
    const ended = finish(child);
    const pid = await readChild(child.stdio[3] as Readable);
    assert.equal(child.exitCode, null, "it waits");
    assert.equal(readFileSync(`/proc/${pid}/uid_map`, "utf8"), "", "nobody but the caller maps ids");
    writeFileSync(`/proc/${pid}/uid_map`, `7 ${uid} 1\n`);
    writeFileSync(`/proc/${pid}/setgroups`, "deny");
    writeFileSync(`/proc/${pid}/gid_map`, `9 ${gid} 1\n`);
    (child.stdio[4] as Writable).end("x");
    answers.push(await ended);
  }
  assert.deepEqual(answers[1], answers[0]);
  assert.match(answers[1]!.stdout, /^7\n9\n +7 +\d+ +1\n +9 +\d+ +1\n$/, answers[1]!.stderr);
  const lone = await answerBoth([...ROOT, "--unshare-user", "--userns-block-fd", "3", "true"], ["/dev/null"]);
  assert.match(lone.stderr, /--userns-block-fd requires --info-fd/);
});

async function readChild(stream: Readable): Promise<number> {
  const text = collect(stream);
  for (let tries = 0; tries < 1000; tries++) {
    const [, pid] = /"child-pid": (\d+)[^]*\}/.exec(text()) ?? [];
    if (pid !== undefined) return Number(pid);
    await sleep(10);
  }
  throw new Error(`no child is told of: ${text()}`);
}

test("with a terminal --dev has it as /dev/console, and without one there is none, as with bwrap", async (t) => {
  if (needsBwrap(t)) return;
  const look = "ls -l /dev/console | cut -c1-10; tty; test -t 0 && echo written > /dev/console; stat -c %t /dev/console; grep -c /dev/console /proc/self/mountinfo";
  for (const more of ["", "--unshare-pid --proc /proc", "--new-session"]) {
    const answers = [];
    for (const [, command] of BOTH) {
      const line = `${[...command, ...ROOT, "--dev /dev", more].join(" ")} sh -c '${look}'`;
      answers.push(await finish(spawn("script", ["-qec", line, "/dev/null"], { env: { ...ENV, SHELL: "/bin/sh" }, stdio: ["ignore", "pipe", "pipe"], timeout: 20_000 })));
    }
    assert.deepEqual(answers[1], answers[0], more);
    assert.match(answers[1]!.stdout, /^c[^]*\/dev\/console\r\nwritten\r\n88\r\n1\r\n$/);
  }
  assert.notEqual((await answerBoth([...ROOT, "--dev", "/dev", "ls", "/dev/console"], [])).status, 0);
});
