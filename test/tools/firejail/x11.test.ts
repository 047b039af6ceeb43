import assert from "node:assert/strict";
import { test } from "node:test";
import { lacks, startHostDisplay } from "../../display/stage.js";
import { makePerson, people } from "../../sandbox/stage.js";

const skip = lacks("Xvfb", "Xephyr", "xdpyinfo", "xwd");
const LOOK = "xdpyinfo | grep -o 'dimensions: *[0-9x]*' | tr -s ' '; xwd -root -silent 2> /dev/null | wc -c; ls -A /tmp/.X11-unix 2> /dev/null";

for (const who of people) {
  test(`firejail's words for X give displays of the jail's own, as ${who}`, { skip }, async (t) => {
    const host = await startHostDisplay(t, makePerson(t, who).uid);
    const person = makePerson(t, who, host.env);
    const jail = (...words: string[]) => person.brig("firejail", "--quiet", "--noprofile", ...words, "sh", "-c", `${LOOK}; cat "${host.env.XAUTHORITY}" 2> /dev/null | wc -c; DISPLAY=:${host.number} xdpyinfo > /dev/null 2>&1 || echo closed`);
    const own = jail("--x11=xvfb", "--xephyr-screen=320x200").stdout.split("\n");
    assert.equal(own[0], "dimensions: 320x200");
    assert.ok(Number(own[1]) > 320 * 200, "it looks at its own screen");
    assert.deepEqual(own.slice(2), ["X200", "Xauthority", "0", "closed", ""], "the host's display and its cookies are out of sight");
    const untrusted = jail("--x11=xorg").stdout.split("\n");
    assert.deepEqual(untrusted, ["dimensions: 800x600", "0", "X200", "Xauthority", "0", "closed", ""], "and on the host's it is not trusted");
    const window = jail("--x11", "--xephyr-screen=400x300").stdout.split("\n");
    assert.equal(window[0], "dimensions: 400x300");
    assert.equal(window.at(-2), "closed");
    const stranger = makePerson(t, who, { DISPLAY: host.env.DISPLAY, XAUTHORITY: "/dev/null" }).brig("firejail", "--noprofile", "--x11=xorg", "true");
    assert.equal(stranger.status, 1);
    assert.match(stranger.stderr, /^Error: cannot give the payload a display: there is no cookie for/m);
    const none = jail("--x11=none").stdout.split("\n");
    assert.deepEqual(none, ["0", "0", "closed", ""]);
  });
}
