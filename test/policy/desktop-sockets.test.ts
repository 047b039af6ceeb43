import assert from "node:assert/strict";
import { chownSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { test, type TestContext } from "node:test";
import { lacks } from "../display/stage.js";
import { makePerson, people, type Person } from "../sandbox/stage.js";

const skip = lacks("socat");

/** A server that says its name to whoever comes. */
async function listen(t: TestContext, person: Person, path: string): Promise<void> {
  const server = createServer((socket) => void socket.end(`${path.slice(person.home.length + 1)}\n`));
  server.on("connection", (socket) => socket.on("error", () => undefined));
  await new Promise<void>((done) => server.listen(path, done));
  chownSync(path, person.uid, person.uid);
  t.after(() => server.close());
}

function run(person: Person, words: string[], script: string): Promise<{ stdout: string; stderr: string; status: number | null }> {
  const child = person.start("run", ...words, "--", "sh", "-c", script);
  let [stdout, stderr] = ["", ""];
  child.stdout!.on("data", (bytes: Buffer) => (stdout += bytes.toString()));
  child.stderr!.on("data", (bytes: Buffer) => (stderr += bytes.toString()));
  return new Promise((done) => child.on("close", (status) => done({ stdout, stderr, status })));
}

for (const who of people) {
  test(`the compositor's socket is there, and no other of its folder, as ${who}`, { skip }, async (t) => {
    const person = makePerson(t, who, { WAYLAND_DISPLAY: "wayland-7" });
    for (const name of ["wayland-7", "bus", "pipewire-0"]) await listen(t, person, `${person.home}/${name}`);
    const { stdout, stderr } = await run(person, ["--wayland"], 'cd "$XDG_RUNTIME_DIR" && ls -A && echo $WAYLAND_DISPLAY && socat -u UNIX-CONNECT:$WAYLAND_DISPLAY -');
    assert.equal(stdout, "wayland-0\nwayland-0\nwayland-7\n", stderr);
    assert.equal((await run(person, [], 'echo "$WAYLAND_DISPLAY$XDG_RUNTIME_DIR"')).stdout, "\n", "without the word there is none");
  });

  test(`sound servers come one by one, with the cookie, as ${who}`, { skip }, async (t) => {
    const person = makePerson(t, who);
    for (const folder of ["pulse", ".config", ".config/pulse"]) mkdirSync(`${person.home}/${folder}`, { mode: 0o755 });
    for (const name of ["pulse/native", "bus", "pipewire-0"]) await listen(t, person, `${person.home}/${name}`);
    writeFileSync(`${person.home}/.config/pulse/cookie`, "secret\n", { mode: 0o600 });
    chownSync(`${person.home}/.config/pulse/cookie`, person.uid, person.uid);
    const { stdout, stderr } = await run(person, ["--audio", "--project", "none"], 'cd "$XDG_RUNTIME_DIR" && find . ! -type d | sort && cat "$PULSE_COOKIE" && socat -u UNIX-CONNECT:${PULSE_SERVER#unix:} - && socat -u UNIX-CONNECT:$PIPEWIRE_REMOTE -');
    assert.equal(stdout, "./pipewire-0\n./pulse/cookie\n./pulse/native\nsecret\npulse/native\npipewire-0\n", stderr);
  });
}

test("what is not there is an error that says where it was looked for", (t) => {
  const person = makePerson(t, people.at(-1)!);
  for (const [word, code] of [["--wayland", /no Wayland compositor at "wayland-0"[^]*WAYLAND_DISPLAY/], ["--audio", /no socket of PulseAudio or PipeWire[^]*PULSE_SERVER/]] as const) {
    const ran = person.brig("run", word, "--", "true");
    assert.equal(ran.status, 125);
    assert.match(ran.stderr, code);
  }
});

test("a display that cannot be is an error with the way on", (t) => {
  const person = makePerson(t, people.at(-1)!, { DISPLAY: "elsewhere:0" });
  const cases: [string[], RegExp][] = [
    [["--x11=host"], /DISPLAY is "elsewhere:0", which is no display of this host[^]*--x11=xvfb/],
    [["--x11=xephyr"], /no display for it on this host[^]*--x11=xvfb/],
    [["--x11=xvfb", "--x11-size", "0x5"], /"0x5" is no size of a screen[^]*1280x800/],
    [["--x11-size", "640x480"], /says nothing without a server[^]*--x11=xvfb/],
    [["--x11=wayland"], /cannot be "wayland"[^]*xvfb, xephyr, host, none/],
  ];
  for (const [words, expected] of cases) {
    const ran = person.brig("run", ...words, "--", "true");
    assert.equal(ran.status, 125, words.join(" "));
    assert.match(ran.stderr, expected);
  }
});
