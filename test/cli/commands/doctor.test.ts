import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const entry = fileURLToPath(new URL("../../../src/cli/entry.js", import.meta.url));

function brig(words: string[], changes: NodeJS.ProcessEnv = {}): { status: number | null; out: string; err: string } {
  const { BRIG_ENTRY_FD: _, NODE_EXTRA_CA_CERTS: __, ...env } = process.env;
  const ran = spawnSync(process.execPath, [entry, ...words], { encoding: "utf8", env: { ...env, ...changes } });
  return { status: ran.status, out: ran.stdout, err: ran.stderr };
}

interface Report {
  works: boolean;
  findings: { topic: string; state: string; fix?: string; required?: boolean }[];
}

test("the exit status says whether the safe default works here, in both forms", () => {
  const ran = brig(["doctor", "--json"]);
  const report = JSON.parse(ran.out) as Report;
  const lacking = report.findings.filter((finding) => finding.required && finding.state === "missing");
  assert.equal(report.works, lacking.length === 0);
  assert.equal(ran.status, report.works ? 0 : 1);
  const text = brig(["doctor"]);
  assert.equal(text.status, ran.status);
  assert.match(text.out, /^\d+ ok, \d+ limited, \d+ missing\. brig run (works|does not work) here with its safe default/m);
});

test("a launcher that cannot run the safe default is found out by trying it", () => {
  const ran = brig(["doctor", "--json"], { BRIG_LAUNCHER: "/bin/false" });
  const { works, findings } = JSON.parse(ran.out) as Report;
  assert.deepEqual([works, ran.status], [false, 1]);
  assert.equal(findings.find((finding) => finding.topic === "brig run -- true")?.state, "missing");
});

test("a word too many is refused", () => {
  assert.equal(brig(["doctor", "everything"]).status, 125);
});
