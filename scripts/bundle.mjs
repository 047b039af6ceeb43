// The command as CommonJS bundles (Node starts those quickest): cli/main.cjs, and cli/commands/NAME.cjs for each
// command, loaded only when it is used. `run` starts most often and is part of main.cjs.
import { readFileSync, readdirSync, renameSync, rmSync, mkdirSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "esbuild";
import { startProgress } from "./step.mjs";

const INLINE = new Set(["run.js"]);

const lazyCommands = {
  name: "lazy-commands",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/[a-z-]+\.js$/ }, ({ path, importer, kind }) => {
      if (kind !== "dynamic-import" || !importer.endsWith("/cli/commands/index.ts") || INLINE.has(basename(path))) return undefined;
      return { path: `./commands/${basename(path, ".js")}.cjs`, external: true };
    });
  },
};

function listCommands() {
  return readdirSync("src/cli/commands").filter((name) => name.endsWith(".ts") && name !== "index.ts").map((name) => basename(name, ".ts"));
}

/** Bundles into a new folder that then takes the place of `out`, so that a failed build leaves the old command working. */
export async function bundleCommand(out) {
  const finish = startProgress("bundling the command");
  const fresh = `${out}.${process.pid}`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  const { version } = JSON.parse(readFileSync("package.json", "utf8"));
  const shared = {
    bundle: true, platform: "node", target: "node20", format: "cjs", minify: true, keepNames: false, legalComments: "none",
    supported: { "dynamic-import": false }, // require() in its place: import() starts Node's other loader
    define: { BRIG_VERSION: JSON.stringify(version) },
    logLevel: "error",
  };
  try {
    await build({ ...shared, entryPoints: { main: "src/cli/entry.ts" }, outdir: fresh, outExtension: { ".js": ".cjs" }, plugins: [lazyCommands] });
    const entryPoints = Object.fromEntries(listCommands().map((name) => [name, join("src/cli/commands", `${name}.ts`)]));
    await build({ ...shared, entryPoints, outdir: join(fresh, "commands"), outExtension: { ".js": ".cjs" } });
    replaceFolder(fresh, out);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
    finish();
  }
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
