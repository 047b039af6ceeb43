// The command as CommonJS bundles (Node starts those quickest): cli/main.cjs, and one more for everything that the
// source loads with import(): cli/commands/NAME.cjs, cli/lazy/NAME.cjs. `run` starts most often and is part of main.cjs.
import { mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { build } from "esbuild";
import { nameBuild } from "./plan-format.mjs";
import { startProgress } from "./step.mjs";

const INLINE = new Set(["src/cli/commands/run.ts"]);

/** Where the bundle of a lazily loaded file goes, below the output folder. */
function nameBundle(source) {
  const path = relative("src", source).replace(/\.ts$/, "");
  return path.startsWith("cli/commands/") ? path.slice("cli/".length) : `lazy/${path.replaceAll("/", "-")}`;
}

/** Turns import("./x.js") into a bundle of its own, and collects those in `found`. */
function splitImports(found, isMain) {
  return {
    name: "split-imports",
    setup({ onResolve }) {
      onResolve({ filter: /^\.{1,2}\/.*\.js$/ }, ({ path, importer, kind }) => {
        const source = relative(process.cwd(), resolve(dirname(importer), path)).replace(/\.js$/, ".ts");
        if (kind !== "dynamic-import" || (isMain && INLINE.has(source))) return undefined;
        found.add(source);
        return { path: `${isMain ? "./" : "../"}${nameBundle(source)}.cjs`, external: true };
      });
    },
  };
}

/** Bundles into a new folder that then takes the place of `out`, so that a failed build leaves the old command working. */
export async function bundleCommand(out) {
  const finish = startProgress("bundling the command");
  const fresh = `${out}.${process.pid}`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  try {
    await bundleAll(fresh);
    replaceFolder(fresh, out);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
    finish();
  }
}

async function bundleAll(out) {
  const { version } = JSON.parse(readFileSync("package.json", "utf8"));
  const options = {
    bundle: true, platform: "node", target: "node20", format: "cjs", minify: true, legalComments: "none", logLevel: "error",
    supported: { "dynamic-import": false }, // require() in its place: import() starts Node's other loader
    define: { BRIG_VERSION: JSON.stringify(version), BRIG_BUILD: JSON.stringify(nameBuild()) },
  };
  const found = new Set();
  await build({ ...options, entryPoints: ["src/cli/loader.ts"], outfile: join(out, "main.cjs") });
  await build({ ...options, entryPoints: ["src/cli/entry.ts"], outfile: join(out, "command.cjs"), plugins: [splitImports(found, true)] });
  await build({ ...options, entryPoints: ["src/network/gateway/main.ts"], outfile: join(out, "gateway.cjs") });
  await build({ ...options, entryPoints: ["src/display/untrusted/main.ts"], outfile: join(out, "untrusted-display.cjs") });
  // A set goes on to what is added to it on the way.
  for (const source of found) await build({ ...options, entryPoints: [source], outfile: join(out, `${nameBundle(source)}.cjs`), plugins: [splitImports(found, false)] });
}

function replaceFolder(fresh, out) {
  const old = `${out}.old.${process.pid}`;
  try {
    renameSync(out, old);
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
  renameSync(fresh, out);
  rmSync(old, { recursive: true, force: true });
}
