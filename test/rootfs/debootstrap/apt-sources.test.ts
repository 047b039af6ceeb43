import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { findAptSource, readAptSources } from "../../../src/rootfs/debootstrap/apt-sources.js";

function makeEtc(t: TestContext, files: Record<string, string>): string {
  const etc = mkdtempSync(join(tmpdir(), "brig-apt-"));
  t.after(() => rmSync(etc, { recursive: true }));
  mkdirSync(join(etc, "sources.list.d"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(etc, name), text);
  return etc;
}

test("one-line and deb822 entries are read, disabled ones and sources are not", (t) => {
  const etc = makeEtc(t, {
    "sources.list": "# deb http://old.invalid/debian bookworm main\ndeb [arch=amd64 signed-by=/k.gpg] http://a.invalid/debian trixie main contrib # ours\ndeb-src http://a.invalid/debian bookworm main\n",
    "sources.list.d/b.sources": "Types: deb deb-src\n# a note\nURIs: http://b.invalid/debian\n http://c.invalid/debian\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By: /usr/share/keyrings/k.gpg\n\nTypes: deb\nEnabled: no\nURIs: http://d.invalid/debian\nSuites: sid\nComponents: main\n",
    "sources.list.d/ignored.save": "deb http://e.invalid/debian sid main\n",
  });
  const sources = readAptSources(etc);
  assert.deepEqual(sources.map(({ uri }) => uri), ["http://a.invalid/debian", "http://b.invalid/debian", "http://c.invalid/debian"]);
  assert.deepEqual(findAptSource("bookworm", sources), { uri: "http://b.invalid/debian", suites: ["bookworm", "bookworm-updates"], components: ["main"], signedBy: "/usr/share/keyrings/k.gpg" });
  assert.equal(findAptSource("trixie", sources)?.signedBy, "/k.gpg");
  assert.equal(findAptSource("sid", sources), undefined);
});

test("a host without apt has no sources", () => assert.deepEqual(readAptSources("/nonexistent"), []));
