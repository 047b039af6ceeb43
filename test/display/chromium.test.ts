import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { makePerson, people } from "../sandbox/stage.js";
import { lacks, seePicture, takePicture } from "./stage.js";

const skip = lacks("Xvfb", "xwd", "chromium");
const RED = 0xc00000;
const GREEN = 0x00c000;
const PAGE = '<body style="margin:0;background:#00c000"><div style="position:absolute;left:50px;top:40px;width:300px;height:200px;background:#c00000"></div>';

const ways = [
  { how: "without its own sandbox", words: [], flags: ["--no-sandbox"] },
  { how: "with its own sandbox inside", words: ["--seccomp", "nested"], flags: [] },
];

for (const { how, words, flags } of ways) {
  test(`Chromium shows a page, ${how}`, { skip }, async (t) => {
    const person = makePerson(t, people.at(-1)!);
    if (person.uid === 0) return t.skip("Chromium has no sandbox as root");
    const page = `${person.home}/page.html`;
    writeFileSync(page, PAGE);
    chmodSync(page, 0o644);
    const browser = ["chromium", "--no-first-run", "--disable-gpu", "--window-position=0,0", "--window-size=640,480", `--app=file://${page}`, ...flags];
    const id = person.detach("--x11=xvfb", "--x11-size", "640x480", "--project", "none", "--read", page, ...words, "--", ...browser);
    const picture = await seePicture(() => takePicture(person, id), (shown) => shown.count(RED) === 300 * 200);
    const { x, y, ...size } = picture.box(RED)!;
    assert.deepEqual(size, { width: 300, height: 200 });
    assert.ok(picture.count(GREEN) > 640 * 480 * 0.6, "the page is around it");
    assert.equal(picture.at(x - 1, y), GREEN);
    const renderers = person.brig("exec", id, "--", "sh", "-c", "for p in /proc/[0-9]*; do grep -qs type=renderer $p/cmdline && grep Seccomp_filters $p/status; done").stdout;
    const filters = renderers.split("\n").filter(Boolean).map((line) => Number(line.split(/\s+/)[1]));
    assert.ok(filters.length > 0);
    // one that waits for a page has none yet
    assert.equal(filters.some((count) => count > 1), flags.length === 0, "its renderer has a filter of its own, beyond brig's");
  });
}
