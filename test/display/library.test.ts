import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { run, Sandbox } from "../../src/index.js";
import { makePerson, people } from "../sandbox/stage.js";
import { lacks } from "./stage.js";

const skip = lacks("Xvfb", "xdpyinfo");

test("the library's options give the same display, to a command and to a sandbox that stays", { skip }, async () => {
  const { stdout, stderr } = await run("sh", ["-c", "xdpyinfo | grep -o 'dimensions: *[0-9x]*'; echo $DISPLAY"], { x11: "xvfb", x11Size: "320x200", project: "none" });
  assert.match(stdout, /^dimensions: +320x200\n:200\n$/, stderr);
  await using sandbox = await Sandbox.create({ x11: "xvfb", x11Size: "400x300", project: "none" });
  for (let times = 0; times < 2; times++) assert.match((await sandbox.exec("xdpyinfo")).stdout, /dimensions: +400x300/);
});

test("a display is part of the spec that brig prints, and runs from there", { skip }, (t) => {
  const person = makePerson(t, people.at(-1)!);
  const printed = person.brig("spec", "--x11=xvfb", "--x11-size", "320x200", "--", "xdpyinfo");
  assert.equal(printed.status, 0, printed.stderr);
  writeFileSync(`${person.home}/config.json`, printed.stdout);
  assert.match(person.brig("run", "--spec", `${person.home}/config.json`).stdout, /dimensions: +320x200/);
});

test("what the server keeps for the payload counts against the sandbox's limits", { skip }, (t) => {
  if (people[0] !== "root") return t.skip("needs root, for whom there are limits on every host");
  const person = makePerson(t, "root");
  const id = person.detach("--x11=xvfb", "--memory", "512MiB", "--", "sleep", "60");
  const { cgroups } = JSON.parse(readFileSync(`${person.runFolder}/${id}/config.json`, "utf8")) as { cgroups: string[] };
  assert.ok(cgroups.length > 0);
  for (const folder of cgroups) {
    const names = readFileSync(`${folder.replace("%i", id)}/cgroup.procs`, "utf8").trim().split("\n").map((pid) => readFileSync(`/proc/${pid}/comm`, "utf8").trim());
    assert.ok(names.includes("Xvfb") && names.includes("sleep"), `${folder}: ${names.join(" ")}`);
  }
});
