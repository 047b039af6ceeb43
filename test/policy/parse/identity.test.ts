import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../fast-check.js";
import { parseCapabilities, parseCapability } from "../../../src/policy/parse/capability.js";
import { parseEnv, parseEnvironment } from "../../../src/policy/parse/env.js";
import { parseRlimit } from "../../../src/policy/parse/rlimit.js";
import { parseUser } from "../../../src/policy/parse/user.js";
import { CAPABILITY_NAMES } from "../../../src/host/capabilities.js";
import { RLIMIT_INFINITY } from "../../../src/spec/rlimit-names.js";
import { assertClear, assertRefused } from "./refuses.js";

test("a user is numbers or names", () => {
  assert.deepEqual(parseUser("0"), { user: 0 });
  assert.deepEqual(parseUser("1000:1001"), { user: 1000, group: 1001 });
  assert.deepEqual(parseUser("www-data:adm"), { user: "www-data", group: "adm" });
  assert.deepEqual(parseUser("alice:5"), { user: "alice", group: 5 });
});

test("an id that the kernel reads as 'leave as it is' is refused", () => {
  assertRefused(() => parseUser("4294967295", "--user"), /does not exist/, "--user");
  assert.deepEqual(parseUser("4294967294"), { user: 4294967294 });
});

test("what is not a user is refused", () => {
  for (const value of ["", ":", "1:", ":1", "1:2:3", "-1", "a b", "../x", "a\nb", "1a"]) assertRefused(() => parseUser(value), /is not a user/);
  fc.assert(fc.property(fc.string(), (text) => assertClear(() => parseUser(text))));
});

test("a capability may be written without its prefix and in any case", () => {
  for (const value of ["CAP_NET_RAW", "NET_RAW", "net_raw", "cap_net_raw"]) assert.equal(parseCapability(value), "CAP_NET_RAW");
  for (const name of CAPABILITY_NAMES) assert.equal(parseCapability(name.toLowerCase().slice(4)), name);
});

test("an unknown capability is refused with the nearest one", () => {
  assert.throws(() => parseCapability("net_rwa", "--cap-add"), { code: "BRIG_BAD_VALUE", hint: "did you mean CAP_NET_RAW?" });
  assertRefused(() => parseCapability("zzzzzzzzzzzz"), /is not a capability/);
  fc.assert(fc.property(fc.string(), (text) => assertClear(() => parseCapability(text))));
});

test('"all" is every capability, and repeats count once', () => {
  assert.deepEqual(parseCapabilities(["ALL"]), CAPABILITY_NAMES);
  assert.deepEqual(parseCapabilities(["sys_chroot", "chown", "CAP_CHOWN"]), ["CAP_CHOWN", "CAP_SYS_CHROOT"]);
  assertRefused(() => parseCapabilities(["all", "nonsense"]), /is not a capability/);
});

test("a resource limit has a soft and a hard value", () => {
  assert.deepEqual(parseRlimit("nofile=1024:4096"), { type: "RLIMIT_NOFILE", soft: 1024, hard: 4096 });
  assert.deepEqual(parseRlimit("core=0"), { type: "RLIMIT_CORE", soft: 0, hard: 0 });
  assert.deepEqual(parseRlimit("RLIMIT_AS=1g"), { type: "RLIMIT_AS", soft: 1024 ** 3, hard: 1024 ** 3 });
  assert.deepEqual(parseRlimit("nproc=10:unlimited"), { type: "RLIMIT_NPROC", soft: 10, hard: RLIMIT_INFINITY });
});

test("a resource limit that cannot be is refused", () => {
  assertRefused(() => parseRlimit("nofile=10:5", "--rlimit"), /soft limit above the hard/, "--rlimit");
  assertRefused(() => parseRlimit("nofile=unlimited:5"), /soft limit above the hard/);
  assert.throws(() => parseRlimit("nofiles=1"), { code: "BRIG_BAD_VALUE", hint: "did you mean nofile?" });
  for (const value of ["", "nofile", "nofile=", "nofile=1:2:3", "=1"]) assertRefused(() => parseRlimit(value), /is not a resource limit/);
  assertRefused(() => parseRlimit("nofile=1k"), /is not a limit/);
  fc.assert(fc.property(fc.string(), fc.string(), (name, limit) => assertClear(() => parseRlimit(`${name}=${limit}`))));
});

test("a variable has a name, and a value or the caller's", () => {
  assert.deepEqual(parseEnv("A=b=c"), { name: "A", value: "b=c" });
  assert.deepEqual(parseEnv("A="), { name: "A", value: "" });
  assert.deepEqual(parseEnv("A"), { name: "A" });
  for (const value of ["", "=x"]) assertRefused(() => parseEnv(value, "--env"), /has no name/, "--env");
  assertRefused(() => parseEnv("A=\0"), /NUL/);
});

test("an environment is a list or an object, and the last of a name wins", () => {
  assert.deepEqual(parseEnvironment(["A=1", "B", "A=2"]), [{ name: "A", value: "2" }, { name: "B" }]);
  assert.deepEqual(parseEnvironment({ A: "1=2" }), [{ name: "A", value: "1=2" }]);
  assertRefused(() => parseEnvironment({ "A=B": "1" }), /is not a variable's name/);
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.string()), (env) => assertClear(() => parseEnvironment(env))));
});
