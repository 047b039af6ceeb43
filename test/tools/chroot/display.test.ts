import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { lacks, startHostDisplay } from "../../display/stage.js";
import { makePerson } from "../../sandbox/stage.js";

const skip = lacks("Xvfb", "xdpyinfo", "xwd") || (process.getuid?.() === 0 ? false : "needs root");

test("a program in a chroot has windows on the host's display with a cookie of its own, in place of xhost +", { skip }, async (t) => {
  const host = await startHostDisplay(t, 0);
  const person = makePerson(t, "root", host.env);
  const jail = `${person.home}/jail`;
  assert.equal(person.brig("jail", "build", jail, "sh", "xdpyinfo", "xwd", "wc", "ls").status, 0);
  const look = "ls /tmp/.X11-unix; xdpyinfo >&2 && echo connected; xwd -root -silent | wc -c; exit 5";
  const ran = person.brig("chroot", "--x11", jail, "/bin/sh", "-c", look);
  assert.equal(ran.stdout, "X200\nXauthority\nconnected\n0\n", "it sees no picture of the screen");
  assert.equal(ran.status, 5);
  const user = person.brig("chroot", "--x11=xvfb", "--userspec=1000:1000", jail, "/bin/sh", "-c", look);
  assert.match(user.stdout, /^X200\nXauthority\nconnected\n[1-9]\d{5,}\n$/, "on a server of its own it sees that");
  const hardened = person.brig("chroot", "--hardened", "--x11=host", jail, "/bin/sh", "-c", look);
  assert.equal(hardened.stdout, "X200\nconnected\n0\n", hardened.stderr);
  assert.deepEqual(readdirSync(`${jail}/tmp/.X11-unix`), [], "the host sees none of it");
  const wrong = person.brig("chroot", "--x11=xpra", jail, "/bin/sh");
  assert.equal(wrong.status, 125);
  assert.match(wrong.stderr, /^chroot: --x11=xpra: one of host, xvfb, xephyr/);
});
