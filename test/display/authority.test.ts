import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fc } from "../fast-check.js";
import { findHostDisplay } from "../../src/display/host-display.js";
import { parseScreenSize } from "../../src/display/server-words.js";
import { chooseCookie, encodeCookie, FAMILY_LOCAL, FAMILY_WILD, MAGIC_COOKIE, parseAuthority } from "../../src/display/untrusted/authority.js";
import { lacks } from "./stage.js";

const part = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
const latin = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString("latin1"));
const record = fc.record({ family: fc.nat(65_535), address: part, number: latin, name: latin, data: part }, { noNullPrototype: true });

test("records of cookies are read as they were written, up to where a file is cut", () => {
  fc.assert(fc.property(fc.array(record, { maxLength: 5 }), fc.nat(), (records, cut) => {
    const bytes = Buffer.concat(records.map(encodeCookie));
    assert.deepEqual(parseAuthority(bytes), records);
    const some = parseAuthority(bytes.subarray(0, cut % (bytes.length + 1)));
    assert.deepEqual(some, records.slice(0, some.length));
  }));
});

test("xauth reads what is written, and what it writes is read", { skip: lacks("xauth") }, (t) => {
  const folder = mkdtempSync("/tmp/brig-authority-");
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "cookies");
  const data = Buffer.from("00112233445566778899aabbccddeeff", "hex");
  writeFileSync(file, encodeCookie({ family: FAMILY_WILD, address: Buffer.alloc(0), number: "200", name: MAGIC_COOKIE, data }));
  assert.match(spawnSync("xauth", ["-f", file, "nlist"], { encoding: "utf8" }).stdout, /^ffff 0000 {2}0003 323030 0012 [0-9a-f]+ 0010 00112233445566778899aabbccddeeff$/m);
  spawnSync("xauth", ["-f", file, "add", ":7", ".", "ffeeddccbbaa99887766554433221100"]);
  const found = chooseCookie(parseAuthority(readFileSync(file)), hostname(), 7);
  assert.equal(found?.family, FAMILY_LOCAL);
  assert.equal(found?.data.toString("hex"), "ffeeddccbbaa99887766554433221100");
});

test("only DISPLAYs with a socket on this host are ones that can be shown", () => {
  for (const name of ["localhost:10.0", "host:0", ":x", "", ":123456", "../:0"]) assert.ok("why" in findHostDisplay({ DISPLAY: name }, "/nowhere"), name);
  assert.match((findHostDisplay({ DISPLAY: ":59999" }, "/nowhere") as { why: string }).why, /there is no socket/);
});

test("a screen has two sides that X servers can draw", () => {
  assert.deepEqual(parseScreenSize("1280x800"), { width: 1280, height: 800 });
  for (const text of ["0x1", "1x0", "1280", "1280x", "x800", "40000x10", "1x1x1", "-1x5", "1280 x 800"]) assert.equal(parseScreenSize(text), undefined, text);
});
