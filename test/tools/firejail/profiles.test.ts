import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readHostFacts } from "../../../src/host/facts.js";
import { compilePlan } from "../../../src/plan/compile.js";
import { encodePlan } from "../../../src/plan/encode.js";
import { readConfig } from "../../../src/tools/firejail/config.js";
import { readJailContext } from "../../../src/tools/firejail/context.js";
import { type Load, loadProfile } from "../../../src/tools/firejail/load.js";
import { makeXdgFinder, type Places } from "../../../src/tools/firejail/macros.js";
import { listCreated } from "../../../src/tools/firejail/make.js";
import { makeCreated } from "../../../src/tools/firejail/prepare.js";
import { openProfileFiles } from "../../../src/tools/firejail/profile-files.js";
import { buildFirejailSpec } from "../../../src/tools/firejail/spec.js";

const SYSTEM = "/etc/firejail";

function makePlaces(home: string): Places {
  return { home, runUser: "/run/user/0", system: SYSTEM, findXdgFolder: makeXdgFinder(home, () => true) };
}

function load(home: string, path: string, files = openProfileFiles(home)): Load {
  const places = makePlaces(home);
  const started: Load = { files, places, config: readConfig(), rules: [], ignored: new Set(), skipped: [] };
  loadProfile(started, path);
  return started;
}

function listProfiles(): string[] {
  try {
    return readdirSync(SYSTEM).filter((name) => /\.(profile|inc)$/.test(name));
  } catch {
    return [];
  }
}

test("every profile and include of Debian's firejail-profiles loads and compiles to a spec", (t) => {
  const names = listProfiles();
  if (names.length < 1000) return t.skip("firejail-profiles is not installed");
  const home = mkdtempSync(join(tmpdir(), "brig-profiles-"));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const host = readHostFacts();
  const refused = new Map<string, string[]>();
  const files = openProfileFiles(home);
  const context = readJailContext(host, makePlaces(home), join(home, "stage"), []);
  for (const [index, name] of names.entries()) {
    try {
      const { rules } = load(home, join(SYSTEM, name), files);
      const { folders } = listCreated(rules, context.places);
      makeCreated({ folders: folders.filter((folder) => folder.startsWith(home)), files: [] });
      const { spec } = buildFirejailSpec(rules, ["/bin/true"], context);
      // the plan's own size and time are the same for all: some of them tell
      if (index % 25 === 0) encodePlan(compilePlan(spec, host, { runFolder: join(home, "run") }));
    } catch (error) {
      const { code } = error as { code?: string };
      const key = code?.startsWith("BRIG_CANNOT_") ? code : `${code} ${(error as Error).message}`;
      refused.set(key, [...(refused.get(key) ?? []), name]);
    }
  }
  assert.deepEqual(Object.fromEntries(refused), {
    // the package includes a file that it does not have; firejail says the same
    "BRIG_BAD_PROFILE /etc/firejail/electron-hardened.inc.profile:10: include chrome-common-hardened.inc.profile: there is no such file": ["electron-hardened.inc.profile"],
  });
});

test("each effective rule knows the file and line that it comes from", (t) => {
  if (!listProfiles().includes("firefox.profile")) return t.skip("firejail-profiles is not installed");
  const { rules } = load("/root", join(SYSTEM, "firefox.profile"));
  assert.ok(rules.length > 900);
  for (const { origin } of rules) assert.ok(origin.kind === "profile" && origin.file?.startsWith("/etc/firejail/") && (origin.line ?? 0) > 0);
  const seccomp = rules.filter(({ name }) => name === "seccomp");
  assert.deepEqual(seccomp.map(({ value, origin }) => [value, origin.file]), [["!chroot", "/etc/firejail/firefox-common.profile"]]);
});

test("loading firefox's profile takes under 15 ms", (t) => {
  if (!listProfiles().includes("firefox.profile")) return t.skip("firejail-profiles is not installed");
  const times = Array.from({ length: 9 }, () => {
    const start = performance.now();
    load("/root", join(SYSTEM, "firefox.profile"));
    return performance.now() - start;
  });
  assert.ok(Math.min(...times) < 15, `it took ${Math.min(...times).toFixed(1)} ms at best`);
});
