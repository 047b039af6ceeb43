/** A root of Debian's busybox-static for containers, and what a test makes in brig's folders. */
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

const BUSYBOX = "/bin/busybox";
const PROGRAMS = "sh ls cat grep wc id sleep echo true false ps ip ping hostname touch env mount wget stat kill nc httpd ln mkdir rm tty".split(" ");

/** Undefined, and the test skips, where busybox-static is missing. */
export function busyboxRoot(t: TestContext): string | undefined {
  if (!existsSync(BUSYBOX)) return void t.skip("busybox-static is not installed");
  const root = mkdtempSync(join(tmpdir(), "brig-busybox-"));
  chmodSync(root, 0o755);
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const folder of ["bin", "etc", "root", "tmp", "var"]) mkdirSync(join(root, folder), { mode: 0o755 });
  copyFileSync(BUSYBOX, join(root, "bin/busybox"));
  for (const name of PROGRAMS) symlinkSync("busybox", join(root, "bin", name));
  writeFileSync(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000::/home/web:/bin/sh\n");
  writeFileSync(join(root, "etc/group"), "root:x:0:\nweb:x:1000:\nextra:x:44:web\n");
  return root;
}
