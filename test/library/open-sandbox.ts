/** What the library's tests share: this test's sandboxes end with it. */
import { chownSync, chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { Sandbox, type SandboxOptions } from "../../src/index.js";

export async function openSandbox(t: TestContext, options: SandboxOptions = {}): Promise<Sandbox> {
  const box = await Sandbox.create(options);
  t.after(() => box.kill());
  return box;
}

/** A folder of this test's, writable by everybody. */
export function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "brig-library-"));
  chmodSync(folder, 0o777);
  if (process.geteuid?.() === 0) chownSync(folder, 0, 0);
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const isRoot = process.geteuid?.() === 0;

/** Processes of this host whose command line has the text. */
export function countProcesses(text: string): number {
  return readdirSync("/proc").filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, "utf8").includes(text);
    } catch {
      return false;
    }
  }).length;
}

export async function until(what: string, condition: () => boolean, timeoutMs = 5000): Promise<void> {
  for (const end = Date.now() + timeoutMs; !condition(); ) {
    if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((done) => setTimeout(done, 10));
  }
}
