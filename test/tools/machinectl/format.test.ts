import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import test from "node:test";
import { formatAgo, formatBytes, formatTimestamp, parseBytes } from "../../../src/tools/machinectl/format.js";
import { renderSystemdTable } from "../../../src/tools/machinectl/table.js";

test("sizes are written as systemd writes them, and read back", () => {
  const texts = [0, 1, 1023, 1024, 1536, 10_239, 5 << 20, 1.5 * 2 ** 30, 2 ** 60].map(formatBytes);
  assert.deepEqual(texts, ["0B", "1B", "1023B", "1.0K", "1.5K", "9.9K", "5.0M", "1.5G", "1.0E"]);
  assert.deepEqual(["5M", "1.5G", "10", "10B", "-", "x", "1X"].map(parseBytes), [5 << 20, 1.5 * 2 ** 30, 10, 10, Infinity, undefined, undefined]);
});

test("times are written as systemd-analyze writes them", (t) => {
  for (const [seconds, zone] of [[1_700_000_000, "UTC"], [1_700_000_000, "Europe/Berlin"], [1_690_000_000, "Europe/Berlin"]] as const) {
    const script = `import("${new URL("../../../src/tools/machinectl/format.js", import.meta.url)}").then(({ formatTimestamp }) => console.log(formatTimestamp(${seconds}e3)))`;
    const env = { ...process.env, TZ: zone, LC_ALL: "C.UTF-8" };
    const real = spawnSync("systemd-analyze", ["timestamp", `@${seconds}`], { encoding: "utf8", env });
    if (real.error) return t.skip("systemd-analyze is not installed");
    const wanted = /Normalized form: (.*)/.exec(real.stdout)?.[1];
    assert.equal(spawnSync(process.execPath, ["-e", script], { encoding: "utf8", env }).stdout.trim(), wanted);
  }
  assert.equal(formatTimestamp(undefined), "-");
});

test("how long ago something was has systemd's words", () => {
  const ago = (seconds: number): string => formatAgo(1e12 - seconds * 1e3, 1e12);
  assert.deepEqual(
    [0.031, 5, 61, 301, 3_700, 12_000, 90_000, 172_800, 700_000, 3_000_000, 40_000_000].map(ago),
    ["31ms ago", "5s ago", "1min 1s ago", "5min ago", "1h 1min ago", "3h 20min ago", "1 day 1h ago", "2 days ago", "1 week 1 day ago", "1 month 4 days ago", "1 year 3 months ago"],
  );
});

test("a cell of several lines goes on below itself", () => {
  const table = renderSystemdTable(["MACHINE", "ADDRESSES"], [["a", ["10.0.0.1", "10.0.0.2…"]], ["b", "-"]], true, "machines");
  assert.equal(table, "MACHINE ADDRESSES\na       10.0.0.1\n        10.0.0.2…\nb       -\n\n2 machines listed.\n");
  assert.equal(renderSystemdTable(["A"], [], true, "images"), "No images.\n");
  assert.equal(renderSystemdTable(["A"], [], false, "images"), "");
});
