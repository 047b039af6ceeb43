import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { makePerson, people, until } from "../sandbox/stage.js";
import { lacks, pressKey, seePicture, startHostDisplay } from "./stage.js";

const skip = lacks("Xvfb", "xwd", "xterm", "xinput", "xdpyinfo", "xwininfo", "xhost");
const RED = 0xc00000;
const GREEN = 0x00c000;

for (const who of people) {
  test(`on the host's display the payload has windows, and neither the keys nor the windows of others, as ${who}`, { skip }, async (t) => {
    const plain = makePerson(t, who);
    const host = await startHostDisplay(t, plain.uid);
    const person = makePerson(t, who, host.env);
    host.start("xterm", "-bg", "#c00000", "-geometry", "30x10+0+0", "-title", "secret", "-e", "sleep", "60");
    await seePicture(host.takePicture, (shown) => shown.count(RED) > 5000);
    const window = /"secret".*|(0x[0-9a-f]+)/.exec(String(host.run(["xwininfo", "-name", "secret"]).stdout))?.[1] ?? "";
    assert.match(window, /^0x/);
    const draw = "xinput test-xi2 --root > /tmp/keys 2>&1; exec xterm -bg '#00c000' -geometry 30x10+400+300 -e sleep 60";
    const asWhom = who === "root" ? ["--user", "1000:1000"] : [];
    const id = person.detach("--x11", ...asWhom, "--", "sh", "-c", draw);
    await seePicture(host.takePicture, (shown) => shown.count(GREEN) > 5000);
    const inside = (...words: string[]) => person.brig("exec", id, "--", ...words);
    assert.equal(inside("ls", "/tmp/.X11-unix").stdout, "X200\n");
    // what a trusted client may, which is what makes the refusals below mean something
    assert.equal(host.run(["xwd", "-silent", "-id", window]).status, 0);
    assert.equal(host.run(["xwd", "-silent", "-root"]).status, 0);
    for (const words of [["xwd", "-silent", "-id", window], ["xwd", "-silent", "-root"], ["xprop", "-id", window, "-f", "WM_NAME", "8s", "-set", "WM_NAME", "changed"]])
      assert.notEqual(inside(...words).status, 0, words.join(" "));
    inside("xkill", "-id", window);
    assert.match(String(host.run(["xprop", "-id", window, "WM_NAME"]).stdout), /"secret"/, "it is neither ended nor changed");
    assert.match(inside("cat", "/tmp/keys").stdout, /X Input extension not available/);
    inside("xhost", "+");
    assert.notEqual(host.run(["xdpyinfo"], "/dev/null").status, 0, "it opens the display to nobody");
    assert.equal(person.brig("rm", "-f", id).status, 0);
    await seePicture(host.takePicture, (shown) => shown.count(GREEN) === 0);
    assert.ok(host.takePicture().count(RED) > 5000);
  });
}

test("keys that go to a trusted window are heard by trusted clients, and by no untrusted one", { skip }, async (t) => {
  const who = people.at(-1)!;
  const host = await startHostDisplay(t, makePerson(t, who).uid);
  const person = makePerson(t, who, host.env);
  const trusted = makePerson(t, who, host.env);
  const listen = ["sh", "-c", "echo listens; exec xev -root -event keyboard"];
  const [bound, ours] = [
    trusted.start("run", "--bind", `/tmp/.X11-unix/X${host.number}:/tmp/.X11-unix/X${host.number}`, "--read", host.env.XAUTHORITY, "--env", "DISPLAY", "--env", "XAUTHORITY", "--", ...listen),
    person.start("run", "--x11=host", "--", ...listen),
  ];
  const heard = ["", ""];
  [bound, ours].forEach((child, index) => child.stdout!.on("data", (bytes: Buffer) => (heard[index] += bytes.toString())));
  await until("both listen", () => heard.every((text) => text.includes("listens")));
  for (let tries = 0; tries < 50 && !heard[0]!.includes("KeyPress"); tries++) {
    await pressKey("", `/tmp/.X11-unix/X${host.number}`, host.env.XAUTHORITY);
    await new Promise((done) => setTimeout(done, 50));
  }
  assert.match(heard[0]!, /KeyPress event/, "with the host's own cookie all keys are heard");
  assert.doesNotMatch(heard[1]!, /KeyPress event/);
});

test("a display that trusts everybody, or knows no trust, is refused with the way on", { skip }, async (t) => {
  const who = people.at(-1)!;
  const uid = makePerson(t, who).uid;
  const host = await startHostDisplay(t, uid);
  const person = makePerson(t, who, host.env);
  host.run(["xhost", "+local:"]);
  const open = person.brig("run", "--x11", "--", "true");
  assert.equal(open.status, 125);
  assert.match(open.stderr, /takes clients without a cookie.*xhost.*--x11=xephyr/s);
  const simple = await startHostDisplay(t, uid, "-extension", "SECURITY");
  const there = makePerson(t, who, simple.env);
  const unable = there.brig("run", "--x11=host", "--", "true");
  assert.equal(unable.status, 125);
  assert.match(unable.stderr, /no SECURITY extension.*--x11=xephyr or --x11=xvfb/s);
  if (person.who === "user") assert.deepEqual(readdirSync(person.runFolder).filter((name) => /^[0-9a-f]{12}$/.test(name)), []);
});

test("with the host's network its abstract socket stays closed, or is an error that says why", { skip }, async (t) => {
  const who = people.at(-1)!;
  const host = await startHostDisplay(t, makePerson(t, who).uid);
  const person = makePerson(t, who, host.env);
  const look = `env | grep -c -e ^DISPLAY -e ^XAUTHORITY; XAUTHORITY=${host.env.XAUTHORITY} DISPLAY=:${host.number} xdpyinfo > /dev/null 2>&1 && echo reached`;
  const closed = person.brig("run", "--net", "host", "--x11=none", "--read", host.env.XAUTHORITY, "--", "sh", "-c", look);
  assert.equal(closed.stdout, "0\n", closed.stderr);
  const open = person.brig("run", "--net", "host", "--landlock", "none", "--x11=none", "--", "true");
  assert.equal(open.status, 125);
  assert.match(open.stderr, /abstract socket[^]*leave --net host or --landlock none out/);
  const inherited = person.brig("run", "--net", "host", "--landlock", "none", "--inherit-env", "--read", host.env.XAUTHORITY, "--", "sh", "-c", look);
  assert.match(inherited.stdout, /reached/, "which without the word is what would be");
  const own = person.brig("run", "--net", "host", "--x11=xvfb", "--x11-size", "320x200", "--", "xdpyinfo");
  assert.match(own.stdout, /dimensions: +320x200/, own.stderr);
});

test("Xephyr shows the sandbox's own screen in a window of the host's display", { skip: skip || lacks("Xephyr") }, async (t) => {
  const who = people.at(-1)!;
  const host = await startHostDisplay(t, makePerson(t, who).uid);
  const person = makePerson(t, who, host.env);
  const asWhom = who === "root" ? ["--user", "1000:1000"] : [];
  person.detach("--x11=xephyr", "--x11-size", "400x300", ...asWhom, "--", "sh", "-c", "xdpyinfo > /tmp/told; exec xterm -bg '#c00000' -geometry 300x300+0+0 -e sleep 60");
  const picture = await seePicture(host.takePicture, (shown) => shown.count(RED) > 400 * 250);
  const { width, height } = picture.box(RED)!;
  assert.ok(width <= 400 && width > 390 && height <= 300 && height > 280, `${width}x${height}`);
});
