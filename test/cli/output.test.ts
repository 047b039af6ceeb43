import assert from "node:assert/strict";
import { test } from "node:test";
import { showAge, showDuration, showSize } from "../../src/cli/output/human.js";
import { measureWidth, renderTable } from "../../src/cli/output/table.js";

test("sizes are shown with the unit that keeps them short", () => {
  assert.deepEqual([0, 1023, 1024, 1536, 512 * 2 ** 20, 2 ** 40].map((bytes) => showSize(bytes)), ["0 B", "1023 B", "1 KiB", "1.5 KiB", "512 MiB", "1 TiB"]);
});

test("times are shown in at most two units", () => {
  assert.deepEqual([5, 1000, 61_000, 3_600_000, 90_061_000].map((ms) => showDuration(ms)), ["5ms", "1s", "1m 1s", "1h", "1d 1h"]);
  assert.equal(showAge(1000, 13_000), "12s ago");
});

test("a table is aligned, with numbers to the right and wide characters counted as two", () => {
  assert.equal(renderTable(["NAME", "PIDS"], [["a", 5], ["日本", 12]]), "NAME  PIDS\na        5\n日本    12\n");
  assert.equal(measureWidth("e\u0301"), 1);
});

test("a name that a payload chose cannot steer the terminal", () => {
  assert.equal(renderTable(["NAME"], [["\u001b[2Jx\n"]]), "NAME\n\\x1b[2Jx\\x0a\n");
});
