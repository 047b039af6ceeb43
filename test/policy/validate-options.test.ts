import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../fast-check.js";
import type * as z from "zod";
import { BrigError } from "../../src/error/brig-error.js";
import type { SandboxOptions } from "../../src/policy/options.js";
import type { optionsSchema } from "../../src/policy/options-schema.js";
import { validateOptions } from "../../src/policy/validate-options.js";

type Parsed = z.infer<typeof optionsSchema>;
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

// The schema and the type are one: each fits the other, with the same keys, all of which may be left out.
export const schemaFitsType = (parsed: Parsed): SandboxOptions => parsed;
export const typeFitsSchema = (options: SandboxOptions): Parsed => options;
export const keysAreTheSame: Same<keyof Parsed, keyof SandboxOptions> = true;

function problemsOf(document: unknown): string {
  try {
    validateOptions(document, "box");
  } catch (error) {
    assert.ok(error instanceof BrigError && error.code === "BRIG_BAD_OPTIONS" && error.hint, String(error));
    return error.message;
  }
  assert.fail("was taken");
}

const everything: Required<SandboxOptions> = {
  read: ["/srv", "~/x"], write: ["/var/x"], hide: ["/etc/shadow"], tmpfs: ["/cache:size=1m"], bind: ["/a:/b:ro"], root: "/r", cwd: "/", project: "none",
  resolvConf: "bind", timezone: "off", ephemeral: "diff", net: "netns=a", allowHosts: ["*.debian.org"], denyHosts: ["ads.example"], netLog: "log", dns: ["10.0.0.1"], ip: "10.1.2.3/24",
  gateway: "10.1.2.1", mtu: 1400, mac: "02:00:00:00:00:01", bandwidth: "10mbit", publish: ["8080:80"], x11: "xvfb", x11Size: "640x480", wayland: false, audio: false, env: { A: "1" }, inheritEnv: false, memory: "512MiB", pids: "none", cpus: 1.5, cpuset: "0-3,7",
  timeoutMs: "30s", graceMs: 100, rlimits: ["nofile=1:2"], nice: -5, oomScoreAdj: 10, user: "1000:1000", hostname: "box", capAdd: ["net_raw", "all"],
  capDrop: ["CAP_KILL"], newPrivileges: true, seccomp: "none", landlock: "auto", share: ["net"], sysctl: { "net.ipv4.ip_forward": "1" }, devices: ["/dev/kvm"],
  umask: "022", tty: "never", init: true, name: "box-1", detach: false, keep: true, dieWithParent: true, labels: { a: "b" },
};

test("every option is taken as it is", () => {
  assert.deepEqual(validateOptions(everything), everything);
  assert.deepEqual(validateOptions({}), {});
  assert.deepEqual(validateOptions({ env: ["A=1", "B"], memory: "none", ephemeral: true }), { env: ["A=1", "B"], memory: "none", ephemeral: true });
});

test("an option that is undefined or null counts as left out", () => {
  assert.deepEqual(validateOptions({ root: undefined, read: null, name: "x" }), { name: "x" });
});

test("an unknown key is refused with the nearest one", () => {
  assert.equal(problemsOf({ raed: [] }), "box: raed: is not known; did you mean read?");
  assert.equal(problemsOf({ "cap-add": [] }), "box: cap-add: is not known; did you mean capAdd?");
  assert.equal(problemsOf({ banana: 1 }), "box: banana: is not known");
  assert.match(problemsOf(JSON.parse('{"__proto__": {"root": "/"}}')), /__proto__/);
});

test("all problems come at once, each with its path", () => {
  const message = problemsOf({ read: ["/a", 3], memory: "12q", landlock: "yes", pids: 0, cpus: -1, share: ["uts", "nett"] });
  assert.match(message, /^box: 6 problems:\n/);
  for (const line of ["read[1]: must be a string, not 3", 'memory: "12q" is not a size; write bytes', "landlock: must be one of auto, require, none", "pids: must be at least 1, not 0", "cpus: must be more than 0", 'share[1]: must be one of pid'])
    assert.ok(message.includes(`box: ${line}`), `${line} in ${message}`);
});

test("what a reader of values refuses is refused here, with its hint", () => {
  for (const [document, reason] of [
    [{ bind: ["/a"] }, /bind\[0\]: "\/a" is not a bind; write SRC:DST/],
    [{ tmpfs: ["x"] }, /tmpfs\[0\]: "x" is not a place/],
    [{ publish: ["x"] }, /publish\[0\]: "x" is not a published port/],
    [{ timeoutMs: "30" }, /timeoutMs: "30" is not a time/],
    [{ rlimits: ["nofile=2:1"] }, /soft limit above/],
    [{ memory: 0 }, /memory: must be more than 0; "none" is no limit/],
    [{ user: "" }, /user: "" is not a user/],
    [{ capAdd: ["net_rwa"] }, /did you mean CAP_NET_RAW/],
    [{ umask: "999" }, /umask: "999" is not a mode/],
    [{ env: ["=x"] }, /has no name/],
    [{ env: 3 }, /env: must be a list of "NAME=value"/],
    [{ net: "lan:" }, /net: must be "none", "host"/],
    [{ net: "netns=a/b" }, /net: must be/],
    [{ sysctl: { "net/../kernel/core_pattern": "x" } }, /dotted name/],
    [{ devices: ["/etc/passwd"] }, /below \/dev/],
    [{ name: "../x" }, /name: must be/],
    [{ hostname: "a\nb" }, /hostname: must be/],
    [{ read: ["/a\0b"] }, /read\[0\]: has a NUL/],
    [{ labels: { "": "x" } }, /labels/],
    ["x", /must be an object, not "x"/],
    [[], /must be an object, not a list/],
  ] as const)
    assert.match(problemsOf(document), reason);
});

test("a hostile value is cut and cannot write to a terminal", () => {
  const message = problemsOf({ landlock: `\u001b[2J${"x".repeat(10_000)}\u009b`, user: "\u009b31m\u202e" });
  assert.ok(message.length < 2000);
  assert.ok(!/[\p{Cc}\u202e]/u.test(message.replaceAll("\n", "")));
});

test("any document is taken or refused with one clear error", () => {
  fc.assert(
    fc.property(fc.oneof(fc.anything(), fc.dictionary(fc.constantFrom(...Object.keys(everything), "x"), fc.anything({ maxDepth: 2 }))), (document) => {
      try {
        validateOptions(document);
      } catch (error) {
        assert.ok(error instanceof BrigError, String(error));
      }
    }),
  );
});
