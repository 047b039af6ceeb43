/** The command as root and as an ordinary user, each with sandboxes of its own that are gone when the test is over. */
import { type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import type { TestContext } from "node:test";

export const LAUNCHER = process.env["BRIG_LAUNCHER"] ?? resolve("dist/brig");
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const UID = 61_234;

export interface Person {
  who: "root" | "user";
  uid: number;
  /** Working folder, HOME and XDG_RUNTIME_DIR. */
  home: string;
  runFolder: string;
  /** Runs `brig WORDS…` to its end. */
  brig(...words: string[]): SpawnSyncReturns<string>;
  /** Starts it. */
  start(...words: string[]): ReturnType<typeof spawn>;
  /** Runs it detached and gives the id. */
  detach(...words: string[]): string;
  /** The words that start brig as this person, for script(1). */
  prefix: string[];
}

/** Both, where this process is root; else only who it is. */
export const people: ("root" | "user")[] = process.getuid?.() === 0 ? ["root", "user"] : ["user"];

export function makePerson(t: TestContext, who: "root" | "user", more: NodeJS.ProcessEnv = {}): Person {
  const home = mkdtempSync("/tmp/brig-sandbox-test-");
  const drop = who === "user" && process.getuid?.() === 0;
  const uid = drop ? UID : (process.getuid?.() ?? UID);
  if (drop) chownSync(home, UID, UID);
  const prefix = drop ? ["setpriv", `--reuid=${UID}`, `--regid=${UID}`, "--clear-groups", LAUNCHER] : [LAUNCHER];
  const options = { cwd: home, env: { PATH, HOME: home, XDG_RUNTIME_DIR: home, BRIG_NO_CACHE: "1", LANG: "C.UTF-8", ...more } };
  const made: string[] = [];
  const brig = (...words: string[]) => spawnSync(prefix[0]!, [...prefix.slice(1), ...words], { ...options, input: "", encoding: "utf8", timeout: 60_000 });
  t.after(() => {
    if (made.length > 0) brig("rm", "-f", ...made);
    rmSync(home, { recursive: true, force: true });
  });
  return {
    who, uid, home, prefix, brig,
    runFolder: uid === 0 ? "/run/brig" : `${home}/brig`,
    start(...words) {
      const child = spawn(prefix[0]!, [...prefix.slice(1), ...words], { ...options, stdio: ["pipe", "pipe", "pipe"] });
      t.after(() => void child.kill("SIGTERM"));
      return child;
    },
    detach(...words) {
      const ran = brig("run", "--detach", ...words);
      if (ran.status !== 0) throw new Error(`brig run --detach ${words.join(" ")}: ${ran.status} ${ran.stderr}`);
      made.push(ran.stdout.trim());
      return ran.stdout.trim();
    },
  };
}

export async function until(what: string, holds: () => boolean, timeoutMs = 10_000): Promise<void> {
  for (const end = Date.now() + timeoutMs; !holds(); ) {
    if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** A name that no other test has. */
export function makeName(): string {
  return `t${process.pid}-${process.hrtime.bigint() % 1_000_000n}`;
}
