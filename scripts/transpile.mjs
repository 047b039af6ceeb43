// TypeScript to JavaScript, file by file and without bundling, for the tests: quick enough to do before
// each run, and a file with a syntax error does not keep the others from being written.
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { transform } from "esbuild";

const rooms = ["src", "test", "bench"];

async function* walk(folder) {
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else yield path;
  }
}

async function isNewer(source, target) {
  const [from, to] = await Promise.all([stat(source), stat(target).catch(() => undefined)]);
  return !to || from.mtimeMs > to.mtimeMs;
}

async function transpileFile(source, target) {
  const text = await readFile(source, "utf8");
  const { code } = await transform(text, { loader: "ts", format: "esm", target: "node20", sourcemap: "inline", sourcefile: source });
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, code.replaceAll(/((?:from|import)\s*\(?\s*["']\.{1,2}\/[^"']+)\.ts(["'])/g, "$1.js$2"));
}

/** Writes every .ts file of src/, test/ and bench/ below `out` as .js; other files there are copied as they are. */
export async function transpile(root, out) {
  const failures = [];
  for (const room of rooms) {
    for await (const source of walk(join(root, room))) {
      const target = join(out, relative(root, source)).replace(/\.ts$/, ".js");
      if (!(await isNewer(source, target))) continue;
      if (source.endsWith(".ts")) await transpileFile(source, target).catch((error) => failures.push(error.message));
      else {
        await mkdir(dirname(target), { recursive: true });
        await writeFile(target, await readFile(source));
      }
    }
  }
  return failures;
}
