import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { test } from "node:test";
import { makePerson, people, type Person, until } from "../sandbox/stage.js";
import { lacks, pressKey, runOutside, seePicture, takePicture } from "./stage.js";

const skip = lacks("Xvfb", "xwd", "xterm", "xeyes", "xdpyinfo");
const RED = 0xc00000;
const GREEN = 0x00c000;
const WHITE = 0xffffff;

/** Xvfb servers whose standard output is a memory file: those that a launcher started. */
function findServers(): number[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/exe`).endsWith("/Xvfb");
    } catch {
      return false;
    }
  });
}

for (const who of people) {
  // xterm that finds itself root sets its groups, for which the payload has no right
  const asWhom = who === "root" ? ["--user", "1000:1000"] : [];

  test(`windows are on a screen of the sandbox's own, as their programs draw them, as ${who}`, { skip }, async (t) => {
    const person = makePerson(t, who);
    const script = "printf '\\033[2J\\033[3;5H\\033[42m          \\033[0m'; exec sleep 60";
    const draw = `xterm -bg '#c00000' -fg black -xrm 'XTerm*color2: #00c000' -b 0 -bw 0 +sb -geometry 40x10+100+50 -e sh -c "${script}" & xeyes -geometry 200x100+500+300 -bw 0 -fg black -outline black -center '#ffffff' & wait`;
    const id = person.detach("--x11=xvfb", "--x11-size", "800x600", ...asWhom, "--", "sh", "-c", draw);
    const picture = await seePicture(() => takePicture(person, id), (shown) => shown.count(GREEN) > 0 && shown.count(WHITE) > 3000);
    assert.deepEqual([picture.width, picture.height], [800, 600]);
    const [terminal, word] = [picture.box(RED)!, picture.box(GREEN)!];
    const [cell, line] = [word.width / 10, word.height];
    assert.deepEqual(terminal, { x: 100, y: 50, width: 40 * cell, height: 10 * line }, "the terminal is 40 by 10 cells, of which the green word has ten");
    assert.deepEqual([word.x, word.y], [100 + 4 * cell, 50 + 2 * line], "it is in the third line, behind four cells");
    // two round eyes: wide in the middle, narrow above, alike on both sides
    const widthAt = (y: number, from: number, to: number): number => Array.from({ length: to - from }, (_, x) => picture.at(from + x, y)).filter((colour) => colour === WHITE).length;
    for (const [from, to] of [[500, 600], [600, 700]] as const) {
      assert.ok(widthAt(350, from, to) > 1.4 * widthAt(314, from, to) && widthAt(314, from, to) > 10, "an eye is round");
      assert.notEqual(picture.at(from + 2, 302), WHITE, "the corner is none of the eye");
    }
  });
}

test("only who has the cookie and the socket sees or hears of it", { skip: skip || lacks("xinput") }, async (t) => {
  if (process.getuid?.() !== 0) return t.skip("needs root");
  const [person, other] = [makePerson(t, "root"), makePerson(t, "user")];
  const listen = "xinput test-xi2 --root > /tmp/keys & exec xterm -bg '#c00000' -geometry 200x100+0+0 -e sleep 60";
  const id = person.detach("--x11=xvfb", "--x11-size", "320x200", "--user", "1000:1000", "--", "sh", "-c", listen);
  const otherId = other.detach("--x11=xvfb", "--x11-size", "320x200", "--", "sh", "-c", listen.replace("c00000", "00c000"));
  await seePicture(() => takePicture(person, id), (shown) => shown.count(RED) > 320 * 150);
  const theirs = await seePicture(() => takePicture(other, otherId), (shown) => shown.count(GREEN) > 320 * 150);
  assert.equal(theirs.count(RED), 0, "each is on a screen of its own");
  const heard = (whose: Person, name: string): string => whose.brig("exec", name, "--", "cat", "/tmp/keys").stdout;
  await until("both listen to the keyboard", () => heard(person, id) !== "" && heard(other, otherId) !== "");
  await pressKey(`${person.runFolder}/${id}/display`);
  await until("a key is heard on its own display", () => /RawKeyPress|KeyPress/.test(heard(person, id)));
  assert.doesNotMatch(heard(other, otherId), /KeyPress/, "and on no other");
  const stranger = runOutside(person, id, ["xdpyinfo"], "/dev/null");
  assert.notEqual(stranger.status, 0, "the server takes nobody without the cookie");
  const look = other.brig("exec", otherId, "--", "sh", "-c", `ls /tmp/.X11-unix; grep -c ' 00010000 .*X11' /proc/net/unix; cat ${person.runFolder}/${id}/display/client/Xauthority`);
  assert.equal(look.stdout, "X200\n0\n", "there is no socket but the own one, by no name");
  assert.match(look.stderr, /No such file/);
});

test("neither the server nor a folder outlives the sandbox, whoever is killed", { skip }, async (t) => {
  const person = makePerson(t, people.at(-1)!);
  const before = new Set(findServers());
  const fresh = (): number[] => findServers().filter((pid) => !before.has(pid) && isChildOfOurs(pid, person.uid));
  assert.equal(person.brig("run", "--x11=xvfb", "--", "xdpyinfo").status, 0);
  assert.deepEqual(fresh(), []);
  assert.deepEqual(readdirSync(person.runFolder).filter((name) => /^[0-9a-f]{12}$/.test(name) && person.who === "user"), []);
  const child = person.start("run", "--x11=xvfb", "--", "sh", "-c", "xdpyinfo > /dev/null; echo up; exec sleep 60");
  await new Promise((done) => child.stdout!.once("data", done));
  assert.equal(fresh().length, 1);
  child.kill("SIGKILL");
  await until("the server ends with its sandbox's supervisor", () => fresh().length === 0);
  person.brig("ps");
  if (person.who === "user") assert.deepEqual(readdirSync(person.runFolder).filter((name) => /^[0-9a-f]{12}$/.test(name)), []);
});

/** Other tests have servers too; a user's own are told by their id. */
function isChildOfOurs(pid: number, uid: number): boolean {
  try {
    return uid !== 0 && new RegExp(`^Uid:\\s+${uid}\\s`, "m").test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

test("the server is confined itself: no network, no files of the host's to write, no rights", { skip }, async (t) => {
  const person = makePerson(t, people.at(-1)!);
  const child = person.start("run", "--x11=xvfb", "--", "sh", "-c", "echo up; exec sleep 60");
  await new Promise((done) => child.stdout!.once("data", done));
  const servers = findServers().filter((pid) => isChildOfOurs(pid, person.uid));
  if (person.uid === 0) return t.skip("needs an ordinary user, whose server can be told from others");
  assert.equal(servers.length, 1);
  const folder = `/proc/${servers[0]}`;
  const status = readFileSync(`${folder}/status`, "utf8");
  assert.match(status, /^NoNewPrivs:\s1$/m);
  assert.match(status, /^Seccomp:\s2$/m);
  assert.match(status, /^CapEff:\s0+$/m);
  for (const name of ["net", "mnt", "pid", "ipc", "user"]) assert.notEqual(readlinkSync(`${folder}/ns/${name}`), readlinkSync(`/proc/self/ns/${name}`), name);
  assert.equal(existsSync(`${folder}/root/tmp/.X11-unix/X200`), true);
  assert.doesNotMatch(readFileSync(`${folder}/net/tcp`, "utf8"), / 0A /, "it listens on no port");
});
