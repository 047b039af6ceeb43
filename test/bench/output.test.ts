import assert from "node:assert/strict";
import { test } from "node:test";
import { drawChart } from "../../bench/draw-chart.js";
import { parseArguments } from "../../bench/parse-arguments.js";
import { printTable } from "../../bench/print-table.js";
import { compareMemory, compareRow, type Result } from "../../bench/result.js";
import { chooseRows, rows } from "../../bench/rows.js";

const result: Result = {
  when: "2026-01-02T03:04:05.000Z", kernel: "6.1", node: "v20", root: false, rounds: 2, runs: 3, load: [0.1, 0.2],
  rows: [
    { name: "a < b & c", value: 0.3, unit: "times", bar: 0.6, met: true },
    { name: "slow", value: 2, unit: "times", bar: 1, met: false },
    { name: "peer", unit: "times", bar: 0.4, missing: "bwrap is not installed" },
    compareMemory(0.2),
  ],
};

test("the table says of each row whether its bar is met, and why one is missing", () => {
  const lines = printTable(result).split("\n");
  assert.match(lines[1] ?? "", /a < b & c +0\.30 .*0\.60 +met/);
  assert.match(lines[2] ?? "", /slow +2\.00 .*1\.00 +MISSED/);
  assert.match(lines[3] ?? "", /peer +missing +0\.40 +bwrap is not installed/);
  assert.match(lines[4] ?? "", /0\.20 MB +0\.50 +met/);
});

test("the picture is whole XML and shows the rows that have a value and a bar", () => {
  const svg = drawChart(result);
  assert.match(svg, /^<svg [^>]*>.*<\/svg>\n$/s);
  assert.ok(svg.includes("a &lt; b &amp; c") && svg.includes("slow") && !svg.includes("peer"));
  const bars = [...svg.matchAll(/<rect [^>]*width="([\d.]+)"[^>]*fill="#(?:2e7d5b|b3452c)"/g)].map(([, width]) => Number(width));
  assert.equal(bars.length, 3);
  assert.ok((bars[1] ?? 0) === 620 && Math.abs((bars[0] ?? 0) * 4 - (bars[1] ?? 0)) < 1, String(bars));
});

test("a row whose peer is not installed is said to be missing, not left out", () => {
  const row = rows.find(({ theirs }) => theirs === "firejail");
  assert.ok(row);
  const contestants = new Map([[row.ours, { what: "brig", words: ["x"] }], [row.theirs, { what: "firejail", words: { missing: "firejail is not installed" } }]]);
  const compared = compareRow(row, contestants, new Map());
  assert.equal(compared.missing, "firejail is not installed");
  assert.equal(compared.value, undefined);
});

test("rows are chosen by a word of their name", () => {
  assert.deepEqual(chooseRows(undefined), rows);
  assert.ok(chooseRows("firejail").every(({ name, ours, theirs }) => /firejail/i.test(`${name} ${ours} ${theirs}`)));
  assert.deepEqual(chooseRows("nothing of that name"), []);
});

test("arguments are read, and what is wrong is said", () => {
  assert.deepEqual(parseArguments(["--rounds", "3", "--json", "x.json", "bwrap"]), { rounds: 3, runs: 5, json: "x.json", word: "bwrap" });
  for (const words of [["--rounds"], ["--rounds", "0"], ["--rounds", "x"], ["--nope"], ["a", "b"], ["--svg", ""]]) assert.throws(() => parseArguments(words), Error, words.join(" "));
});
