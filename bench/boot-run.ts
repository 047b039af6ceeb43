/**
 * Boots a Debian root to multi-user.target, changes thrown away, and ends it: boot-run.js ROOT PROGRAM WORDS…. What is
 * timed is the way to that target, as the console tells it.
 */
import { spawn } from "node:child_process";
import { serveRuns } from "./serve-runs.js";

const [root, program, ...words] = process.argv.slice(2) as [string, string, ...string[]];
let end = (): Promise<void> => Promise.resolve();

function boot(): Promise<void> {
  const child = spawn(program, [...words, "-q", "-b", "--console=read-only", "--volatile=overlay", "-M", `bench${process.pid}`, "-D", root], { stdio: ["ignore", "pipe", "ignore"] });
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
  end = async () => {
    child.kill("SIGTERM");
    await gone;
  };
  return new Promise((resolve, reject) => {
    let shown = "";
    child.once("error", reject);
    child.once("close", (status) => reject(new Error(`${program} ended with ${status}: ${shown.slice(-500)}`)));
    child.stdout.on("data", (data: Buffer) => {
      shown += String(data);
      if (/Reached target .*multi-user\.target/.test(shown)) resolve();
    });
  });
}

serveRuns(boot, () => end());
