import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { parseConfig } from "../../../src/tools/firejail/config.js";
import { convertProfile } from "../../../src/tools/firejail/convert.js";
import { lintProfile } from "../../../src/tools/firejail/lint.js";
import { type Load, loadProfile } from "../../../src/tools/firejail/load.js";
import { openProfileFiles } from "../../../src/tools/firejail/profile-files.js";
import { loadProfile as loadOwnProfile } from "../../../src/policy/profile.js";

function load(t: TestContext, text: string): Load & { home: string } {
  const home = mkdtempSync(join(tmpdir(), "brig-understand-"));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  mkdirSync(join(home, "Here"));
  writeFileSync(join(home, "x.profile"), text);
  const places = { home, runUser: "/run/user/1", system: home, findXdgFolder: () => undefined };
  const started: Load = { files: openProfileFiles(home, home), places, config: parseConfig(""), rules: [], ignored: new Set(), skipped: [] };
  loadProfile(started, join(home, "x.profile"));
  return { ...started, home };
}

test("lint finds what comes too late, twice, for nothing, and leaves the rest alone", (t) => {
  const found = lintProfile(load(t, "blacklist ${HOME}/.a\nnoblacklist ${HOME}/.a\nnoblacklist ${HOME}/.b*\nnoblacklist ${HOME}/.c*\nblacklist ${HOME}/.cd\nnoroot\nnoroot\nnetfilter\ndbus-user.talk org.x\nignore seccomp\n"));
  assert.deepEqual(
    found.map(({ rule, why }) => [rule.name, rule.origin.line, why.split(" ")[0]]),
    [["noblacklist", 2, "the"], ["noblacklist", 3, "nothing"], ["noroot", 7, "the"], ["netfilter", 8, "is"], ["dbus-user.talk", 9, "says"], ["ignore", undefined, "no"]],
  );
});

test("a converted profile is one that brig run reads, and what it cannot say stands in comments", (t) => {
  const loaded = load(t, "whitelist ${HOME}/Here\nwhitelist ${HOME}/Gone\nnet none\nrlimit-nofile 9\nenv A=b\nhostname h\nprivate-bin sh\nseccomp\n");
  const text = convertProfile(loaded);
  assert.match(text, /# not there now: ~\/Gone/);
  assert.match(text, /# no counterpart: private-bin sh \(.*x\.profile:7\)/);
  writeFileSync(join(loaded.home, "x.toml"), text);
  const { options } = loadOwnProfile(join(loaded.home, "x.toml"));
  assert.deepEqual(options, { write: ["~/Here"], net: "none", rlimits: ["nofile=9"], env: ["A=b"], hostname: "h" });
});
