import assert from "node:assert/strict";
import { test } from "node:test";
import { renderTable } from "../../../src/tools/netns/nat.js";
import { isSharedMount } from "../../../src/tools/netns/run-folder.js";
import { nameLink } from "../../../src/tools/netns/link-name.js";
import { doOrUndo, undoAll } from "../../../src/tools/netns/undo.js";

test("when a step fails what was done is undone in reverse, the failed step too, and the failure goes on", () => {
  const log: string[] = [];
  const step = (name: string, fails = false) => ({
    do: () => {
      log.push(name);
      if (fails) throw new Error(`${name} failed`);
    },
    undo: () => void log.push(`undo ${name}`),
  });
  assert.throws(() => doOrUndo([step("a"), step("b"), step("c", true), step("d")]), /c failed/);
  assert.deepEqual(log, ["a", "b", "c", "undo c", "undo b", "undo a"]);
});

test("undoing goes on when one of it fails, and the first failure is kept", () => {
  let ran = 0;
  const fail = (text: string) => () => {
    ran++;
    throw new Error(text);
  };
  assert.match(String(undoAll([fail("first"), fail("second"), () => void ran++])), /first/);
  assert.equal(ran, 3);
});

test("an interface's name fits the kernel whatever the namespace is called, and differs", () => {
  const names = ["a", "b", "x".repeat(255), "na me", 'quo"te'].map(nameLink);
  for (const name of names) assert.match(name, /^brig[0-9a-f]{8}$/);
  assert.equal(new Set(names).size, names.length);
});

test("the rules let nothing in that was not asked for, and no address but the namespace's own out", () => {
  const text = renderTable({ name: "n", hostInterface: "brig0a", innerInterface: "eth0", subnet: "10.0.0.0/30", table: "brig0a", nat: true });
  const forward = text.slice(text.indexOf("chain forward"), text.indexOf("chain postrouting")).split("\n").map((line) => line.trim());
  assert.ok(forward.includes('iifname "brig0a" ip saddr != 10.0.0.0/30 drop'));
  assert.ok(forward.indexOf('oifname "brig0a" drop') > forward.indexOf('oifname "brig0a" ct state established,related accept'));
});

test("a shared mount is known by its own last line", () => {
  const line = (id: number, point: string, tags: string) => `${id} 27 254:0 /run ${point} rw,relatime ${tags}- ext4 /dev/vda rw`;
  assert.equal(isSharedMount("/run/netns", line(1, "/run/netns", "shared:1 ")), true);
  assert.equal(isSharedMount("/run/netns", line(1, "/run/netns", "master:1 ")), false);
  assert.equal(isSharedMount("/run/netns", `${line(1, "/run/netns", "shared:1 ")}\n${line(2, "/run/netns", "")}`), false);
  assert.equal(isSharedMount("/run/netns", line(1, "/run", "shared:1 ")), false);
});
