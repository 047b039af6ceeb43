import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Script } from "node:vm";

/*
 * What Node is started with. It loads the command from V8's code cache, which holds it compiled, with the functions
 * that a run uses: that halves the time from Node's start to a compiled plan. A cache of another Node is refused by
 * V8 and written anew; where it cannot be written, everything is only slower.
 */
const file = join(__dirname, "command.cjs");
const cacheFile = join(__dirname, "command.cache");

function readCache(): Buffer | undefined {
  try {
    return readFileSync(cacheFile);
  } catch {
    return undefined;
  }
}

function writeCache(script: Script): void {
  try {
    const fresh = `${cacheFile}.${process.pid}`;
    writeFileSync(fresh, script.createCachedData(), { flag: "wx" });
    renameSync(fresh, cacheFile);
  } catch {
    // another user's installation, or a full disk
  }
}

const source = `(function (exports, require, module, __filename, __dirname) {${readFileSync(file, "utf8")}\n})`;
const cachedData = readCache();
const script = new Script(source, { filename: file, ...(cachedData ? { cachedData } : {}) });
// Only a run has used the functions that are worth keeping.
if ((!cachedData || script.cachedDataRejected) && process.argv[2] === "run") process.on("exit", () => writeCache(script));
script.runInThisContext()(exports, require, module, file, __dirname);
