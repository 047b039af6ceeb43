import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { Script } from "node:vm";

/*
 * What Node is started with. It loads the command, and each of its bundles, from V8's code cache, which holds them
 * compiled, with the functions that such a run uses: that halves the time from Node's start to a compiled plan. Each
 * command has a cache of its own, since each uses other functions. A cache of another Node is refused by V8 and
 * written anew; where it cannot be written, everything is only slower.
 */
const [, , command = ""] = process.argv;
const folder = join(__dirname, "cache");
/** Links and mistakes have none: there are as many names as anybody likes. */
const isKnown = command === "run" || (/^[a-z]+$/.test(command) && existsSync(join(__dirname, "commands", `${command}.cjs`)));

/** Taken before a command records what it reads: a cache that is written at its end is nothing that it depends on. */
const read = readFileSync;

interface Loaded {
  exports: object;
}

const loaded = new Map<string, Loaded>();

function load(file: string): object {
  const known = loaded.get(file);
  if (known) return known.exports;
  const module: Loaded = { exports: {} };
  loaded.set(file, module);
  const run = compile(file).runInThisContext() as (...words: unknown[]) => void;
  run(module.exports, makeRequire(dirname(file)), module, file, dirname(file));
  return module.exports;
}

/** Bundles name each other by relative paths, and what is Node's own by its name. */
function makeRequire(from: string): (name: string) => unknown {
  return (name) => (name.startsWith(".") && name.endsWith(".cjs") ? load(resolve(from, name)) : require(name));
}

function compile(file: string): Script {
  const source = `(function (exports, require, module, __filename, __dirname) {${read(file, "utf8")}\n})`;
  const cacheFile = join(folder, `${command}-${basename(file, ".cjs")}`);
  const cachedData = isKnown ? readCache(cacheFile) : undefined;
  const script = new Script(source, { filename: file, ...(cachedData ? { cachedData } : {}) });
  if (isKnown && (!cachedData || script.cachedDataRejected)) process.on("exit", (status) => writeCache(cacheFile, script, status));
  return script;
}

function readCache(file: string): Buffer | undefined {
  try {
    return read(file);
  } catch {
    return undefined;
  }
}

/** Only a command that did its work has used the functions that are worth keeping. */
function writeCache(file: string, script: Script, status: number): void {
  if (status !== 0) return;
  try {
    mkdirSync(folder, { recursive: true });
    const fresh = `${file}.${process.pid}`;
    writeFileSync(fresh, script.createCachedData(), { flag: "wx" });
    renameSync(fresh, file);
  } catch {
    // another user's installation, or a full disk
  }
}

load(join(__dirname, "command.cjs"));
