import assert from "node:assert/strict";
import test from "node:test";
import { findDataFolder } from "../../src/sandbox/data-folder.js";

test("what lasts is kept in /var/lib for root, and in the user's data folder otherwise", () => {
  assert.equal(findDataFolder(0, { HOME: "/root", XDG_DATA_HOME: "/data" }), "/var/lib/brig");
  assert.equal(findDataFolder(1000, { HOME: "/home/a", XDG_DATA_HOME: "/data" }), "/data/brig");
  assert.equal(findDataFolder(1000, { HOME: "/home/a", XDG_DATA_HOME: "data" }), "/home/a/.local/share/brig");
  assert.equal(findDataFolder(1000, { HOME: "/home/a" }), "/home/a/.local/share/brig");
});
