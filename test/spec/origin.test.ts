import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../fast-check.js";
import { type Origin, writeExtension } from "../../src/spec/extension.js";
import { describeOrigin, findOrigin, formatPointer, originOf, type Origins, parsePointer, pushWithOrigin, withOrigin } from "../../src/spec/origin.js";
import type { Spec } from "../../src/spec/oci.js";

const flag: Origin = { kind: "flag", text: "--read /srv" };
const fallback: Origin = { kind: "default", text: "the safe default" };

test("a setting has its own origin, else that of what it stands in", () => {
  const origins = { "": fallback, "/mounts/1": flag };
  assert.equal(findOrigin(origins, "/mounts/1"), flag);
  assert.equal(findOrigin(origins, "/mounts/1/options/2"), flag);
  assert.equal(findOrigin(origins, "/mounts/10"), fallback);
  assert.equal(findOrigin(origins, ""), fallback);
  assert.equal(findOrigin({ "/mounts/1": flag }, "/mounts"), undefined);
  assert.equal(findOrigin(undefined, "/mounts"), undefined);
});

test("a pointer that is a name of Object's own finds nothing", () => {
  assert.equal(findOrigin({}, "__proto__"), undefined);
  assert.equal(findOrigin({}, "/constructor"), undefined);
});

test("a spec carries its origins", () => {
  const origins: Origins = {};
  const mounts: NonNullable<Spec["mounts"]> = [];
  pushWithOrigin(origins, "/mounts", mounts, { destination: "/proc" }, fallback);
  pushWithOrigin(origins, "/mounts", mounts, { destination: "/srv" }, flag);
  assert.equal(withOrigin(origins, formatPointer("linux", "sysctl", "net/x"), flag), "/linux/sysctl/net~1x");
  const spec = writeExtension({ ociVersion: "1.2.0", mounts }, { origins });
  assert.deepEqual(originOf(spec, "/mounts/1/source"), flag);
  assert.deepEqual(originOf(spec, "/mounts/0"), fallback);
  assert.deepEqual(originOf(spec, "/linux/sysctl/net~1x"), flag);
  assert.equal(originOf({ ociVersion: "1.2.0" }, "/mounts/0"), undefined);
});

test("a pointer's segments survive being written and read", () => {
  fc.assert(fc.property(fc.array(fc.string({ unit: fc.constantFrom("~", "/", "0", "1", "a", "") })), (segments) => assert.deepEqual(parsePointer(formatPointer(...segments)), segments)));
});

test("an origin is shown as the flag or the line of the file", () => {
  assert.equal(describeOrigin(flag), "--read /srv");
  assert.equal(describeOrigin({ kind: "profile", text: "read", file: "x.toml", line: 3 }), "x.toml:3: read");
  assert.equal(describeOrigin({ kind: "config", text: "", file: "config.json" }), "config.json");
});
