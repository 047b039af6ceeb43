import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../fast-check.js";
import { matchesPattern } from "../../src/image/match-pattern.js";
import { formatFamiliar, formatReference, formatRepository, parseReference, tryParseReference, withDefaultTag } from "../../src/image/reference.js";

const DIGEST = `sha256:${"a1".repeat(32)}`;

/** Typed, in full, as people say it: what docker's own tests and `docker pull` have. */
const NAMES: [typed: string, full: string, familiar: string][] = [
  ["busybox", "docker.io/library/busybox:latest", "busybox:latest"],
  ["busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36"],
  ["library/busybox", "docker.io/library/busybox:latest", "busybox:latest"],
  ["docker.io/busybox", "docker.io/library/busybox:latest", "busybox:latest"],
  ["index.docker.io/library/busybox", "docker.io/library/busybox:latest", "busybox:latest"],
  ["me/tool", "docker.io/me/tool:latest", "me/tool:latest"],
  ["me/deep/tool:x", "docker.io/me/deep/tool:x", "me/deep/tool:x"],
  ["localhost/tool", "localhost/tool:latest", "localhost/tool:latest"],
  ["localhost:5000/tool:1", "localhost:5000/tool:1", "localhost:5000/tool:1"],
  ["quay.io/a/b", "quay.io/a/b:latest", "quay.io/a/b:latest"],
  ["HOST/tool", "HOST/tool:latest", "HOST/tool:latest"],
  ["[::1]:5000/tool", "[::1]:5000/tool:latest", "[::1]:5000/tool:latest"],
  ["127.0.0.1:5000/a/b:v_1.2-x", "127.0.0.1:5000/a/b:v_1.2-x", "127.0.0.1:5000/a/b:v_1.2-x"],
  [`busybox@${DIGEST}`, `docker.io/library/busybox@${DIGEST}`, `busybox@${DIGEST}`],
  [`busybox:1@${DIGEST}`, `docker.io/library/busybox:1@${DIGEST}`, `busybox:1@${DIGEST}`],
  ["a--b/c__d.e", "docker.io/a--b/c__d.e:latest", "a--b/c__d.e:latest"],
  ["tool:Upper_Tag.1", "docker.io/library/tool:Upper_Tag.1", "tool:Upper_Tag.1"],
];

test("names are completed and shortened as docker does", () => {
  for (const [typed, full, familiar] of NAMES) {
    const reference = withDefaultTag(parseReference(typed));
    assert.equal(formatReference(reference), full, typed);
    assert.equal(formatFamiliar(reference), familiar, typed);
  }
});

test("what is no name is refused, with docker's words", () => {
  const refused = ["", "Busybox", "a b", "a:", "a:b:c/d", ":tag", "a/", "/a", "a//b", "-a", "a_", "a...b", "a___b", "a@sha256:12", `a@md5:${"1".repeat(32)}`, "a:-x", `a:${"x".repeat(129)}`, "https://a/b", "a".repeat(256), "../a", "a/../b", "a\nb", "ä"];
  for (const text of refused) assert.throws(() => parseReference(text), { code: "BRIG_BAD_REFERENCE", message: /^invalid reference format/, exitCode: 1 }, JSON.stringify(text));
  assert.throws(() => parseReference("Foo"), /repository name \(library\/Foo\) must be lowercase/);
  assert.throws(() => parseReference("ab".repeat(32)), /cannot specify 64-byte hexadecimal strings/);
});

const label = fc.stringMatching(/^[a-z0-9]{1,6}$/);
const path = fc.array(fc.tuple(label, fc.constantFrom("", "-", "_", "__", ".", "--"), label).map((parts) => parts.join("")), { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
const domain = fc.constantFrom("docker.io", "localhost", "localhost:5000", "quay.io", "10.0.0.1:80", "[fe80::1]:443", "Host");
const tag = fc.option(fc.stringMatching(/^[\w][\w.-]{0,20}$/), { nil: undefined });
const digest = fc.option(fc.stringMatching(/^[a-f0-9]{64}$/).map((hex) => `sha256:${hex}`), { nil: undefined });

test("what a name is shortened to, and what it is in full, means the same name again", () => {
  const names = fc.record({ domain, path, tag, digest }).map(({ domain: host, path: where, tag: label_, digest: sum }) => `${host}/${where}${label_ === undefined ? "" : `:${label_}`}${sum === undefined ? "" : `@${sum}`}`);
  fc.assert(
    fc.property(names, (text) => {
      const reference = parseReference(text);
      assert.deepEqual(parseReference(formatReference(reference)), reference);
      assert.deepEqual(parseReference(formatFamiliar(reference)), reference);
    }),
  );
});

test("no text is a name whose parts lead anywhere else in a path or URL", () => {
  const bytes = fc.string({ unit: fc.constantFrom(..."ab./:@-_~% \u0000?#[]\\A") });
  fc.assert(
    fc.property(bytes, (text) => {
      const reference = tryParseReference(text);
      if (!reference) return;
      assert.match(reference.path, /^[a-z0-9]+([._/-][._a-z0-9-]*)*$/);
      assert.ok(reference.path.split("/").every((part) => part !== "" && part !== "." && part !== ".."), text);
      assert.doesNotMatch(reference.domain, /[/@?#\\%\s]/);
    }),
    { numRuns: 2000 },
  );
});

test("a pattern's star stops at a slash, and a name matches short and in full", () => {
  const name = parseReference("localhost:5000/team/tool:1.2");
  for (const pattern of ["localhost:5000/team/tool", "localhost:5000/*/tool", "localhost:5000/team/tool:1.*"]) assert.ok(matchesPattern(pattern, name), pattern);
  for (const pattern of ["localhost:5000/*", "tool", "*", "localhost:5000/team/tool:2"]) assert.ok(!matchesPattern(pattern, name), pattern);
  assert.ok(matchesPattern("docker.io/library/busybox", parseReference("busybox:1")));
  assert.equal(formatRepository(parseReference("docker.io/localhost/x")), "docker.io/localhost/x");
});
