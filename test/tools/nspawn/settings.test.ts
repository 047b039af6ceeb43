import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { readHostFacts } from "../../../src/host/facts.js";
import { readNspawnContext } from "../../../src/tools/nspawn/context.js";
import { parseNspawn } from "../../../src/tools/nspawn/grammar.js";
import { addSettings } from "../../../src/tools/nspawn/settings.js";

/** The options of these words for a tree with this settings file beside it. */
function settle(t: TestContext, text: string, ...words: string[]) {
  const folder = mkdtempSync(join(tmpdir(), "brig-settings-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "tree/usr"), { recursive: true });
  writeFileSync(join(folder, "tree.nspawn"), text);
  const parsed = parseNspawn(["-D", join(folder, "tree"), ...words]);
  assert.notEqual(typeof parsed, "string");
  return addSettings(parsed as Exclude<typeof parsed, string>, readNspawnContext(readHostFacts()));
}

const WHOLE = `# a comment
[Exec]
Parameters=sh -c "echo 'a b'" \\
  last
Environment="A=1 2" B=3
User=daemon
WorkingDirectory=/usr
Capability=CAP_NET_ADMIN
LimitNOFILE=10:20
[Files]
ReadOnly=yes
Bind=/srv:/data
[Network]
Private=yes
Port=tcp:8080:80
`;

test("beside a tree, what opens something of the host is passed over with a warning, and the rest counts", (t) => {
  const { options, warnings } = settle(t, WHOLE);
  assert.deepEqual(options.command, ["sh", "-c", "echo 'a b'", "last"]);
  assert.deepEqual(options.environment, [{ name: "A", value: "1 2" }, { name: "B", value: "3" }]);
  assert.equal(options.user, "daemon");
  assert.equal(options.readOnly, true);
  assert.equal(options.privateNetwork, true);
  assert.deepEqual([options.addCapabilities, options.rlimits, options.mounts, options.ports], [[], [], [], []]);
  assert.deepEqual(warnings.map((line) => /^Ignoring (\w+)= setting, file .* is not trusted\.$/.exec(line)?.[1]), ["Capability", "LimitNOFILE", "Bind", "Port"]);
});

test("--settings=trusted takes all of it", (t) => {
  const { options, warnings } = settle(t, WHOLE, "--settings=trusted");
  assert.deepEqual(warnings, []);
  assert.deepEqual(options.addCapabilities, ["CAP_NET_ADMIN"]);
  assert.deepEqual(options.rlimits, [{ type: "RLIMIT_NOFILE", soft: 10, hard: 20 }]);
  assert.equal(options.mounts[0]?.destination, "/data");
  assert.deepEqual(options.ports, [{ protocol: "tcp", host: 8080, inner: 80 }]);
});

test("the command line has the last word, with --settings=override the file, and with no it is not read", (t) => {
  const text = "[Exec]\nUser=daemon\nHostname=file\n";
  assert.deepEqual(pick(settle(t, text, "-u", "root").options), ["root", "file"]);
  assert.deepEqual(pick(settle(t, text, "--settings=override", "-u", "root").options), ["daemon", "file"]);
  assert.deepEqual(pick(settle(t, text, "--settings=no", "-u", "root").options), ["root", undefined]);
});

function pick({ user, hostname }: { user?: string; hostname?: string }): (string | undefined)[] {
  return [user, hostname];
}

test("a line that is not understood is an error with its file and number, never dropped", (t) => {
  for (const [text, expected] of [
    ["[Exec]\nBot=yes\n", /tree\.nspawn:2: Unknown key name 'Bot' in section 'Exec'/],
    ["[Exec]\n\nnonsense\n", /tree\.nspawn:3: Missing '='/],
    ["[Files]\nReadOnly=perhaps\n", /tree\.nspawn:2: Failed to parse boolean/],
    ["[Exec]\nPersonality=vax\n", /tree\.nspawn:2: Failed to parse --personality=/],
  ] as const)
    assert.throws(() => settle(t, text), expected);
});
