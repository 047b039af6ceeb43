import assert from "node:assert/strict";
import test from "node:test";
import { BrigError } from "../../../src/error/brig-error.js";
import { findTool } from "../../../src/host/tools.js";
import type { AptSource } from "../../../src/rootfs/debootstrap/apt-sources.js";
import { type DebootstrapOptions, type DebootstrapRequest, readRequest } from "../../../src/rootfs/debootstrap/request.js";
import { writeToolWords } from "../../../src/rootfs/debootstrap/tool-words.js";

const sources: AptSource[] = [
  { uri: "http://security.invalid/debian-security", suites: ["bookworm-security"], components: ["main"], signedBy: undefined },
  { uri: "http://a.invalid/debian", suites: ["bookworm"], components: ["main"], signedBy: "/etc/passwd" },
];
const noTools = findTool("mmdebstrap") === undefined || findTool("debootstrap") === undefined;

function codeOf(options: DebootstrapOptions): string {
  try {
    readRequest(options, sources);
  } catch (error) {
    assert.ok(error instanceof BrigError && error.hint !== undefined, String(error));
    return error.code;
  }
  return "";
}

test("what is left open is chosen: the host's archive, its keys, its architecture", (t) => {
  if (noTools) return t.skip("needs mmdebstrap and debootstrap");
  const request = readRequest({}, sources);
  assert.deepEqual([request.suite, request.variant, request.mirror, request.keyring, request.tool], ["bookworm", "minbase", "http://a.invalid/debian", "/etc/passwd", "mmdebstrap"]);
  assert.equal(readRequest({ suite: "sid" }, sources).mirror, "http://a.invalid/debian");
  assert.equal(readRequest({ mirror: "file:///srv/debian" }, sources).mirror, "file:///srv/debian");
});

test("what would be an option or a path of the tool is refused", (t) => {
  if (noTools) return t.skip("needs mmdebstrap and debootstrap");
  for (const suite of ["--foreign", "../x", "a b", ""]) assert.equal(codeOf({ suite }), "BRIG_BAD_VALUE", suite);
  for (const name of ["--x", "a;b", "?essential", "/tmp/x.deb"]) assert.equal(codeOf({ include: [name] }), "BRIG_BAD_VALUE", name);
  for (const mirror of ["deb http://x y main", "/etc/apt/sources.list", "-", "http://a b"]) assert.equal(codeOf({ mirror }), "BRIG_BAD_VALUE", mirror);
  assert.equal(codeOf({ variant: "standard", tool: "debootstrap" }), "BRIG_BAD_VALUE");
  assert.equal(codeOf({ tool: "cdebootstrap" }), "BRIG_BAD_VALUE");
  assert.equal(codeOf({ arch: "vax" }), "BRIG_BAD_VALUE");
  assert.equal(codeOf({ arch: process.arch === "s390x" ? "amd64" : "s390x" }), "BRIG_WRONG_ARCHITECTURE");
});

test("a host whose apt names no archive wants one named", (t) => {
  if (noTools) return t.skip("needs mmdebstrap and debootstrap");
  assert.throws(() => readRequest({}, []), { code: "BRIG_NO_MIRROR" });
});

test("both tools get the same wish in their own words", () => {
  const request: DebootstrapRequest = { suite: "bookworm", arch: "i386", variant: "important", include: ["a", "b"], mirror: "http://a.invalid/debian", keyring: "/k", tool: "debootstrap", program: "/usr/sbin/debootstrap" };
  assert.deepEqual(writeToolWords(request, "/r", false), { args: ["/usr/sbin/debootstrap", "--arch=i386", "--include=a,b", "--keyring=/k", "bookworm", "/r", "http://a.invalid/debian"], env: ["container=lxc"] });
  const other = writeToolWords({ ...request, tool: "mmdebstrap", program: "/usr/bin/mmdebstrap" }, "/r", false);
  assert.ok(other.args.includes("--variant=important") && other.args.includes("--mode=root"));
  assert.deepEqual(other.env, []);
});
