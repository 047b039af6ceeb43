// Compiles the launcher of an installed package that has no prebuilt one for this machine: into the package where it
// can be written, else into the user's cache. Prints its path.
import { accessSync, constants, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileLauncher } from "./launcher.mjs";
import { fail } from "./step.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);

function chooseFolder() {
  try {
    accessSync("dist", constants.W_OK);
    return join(root, "dist");
  } catch {
    const cache = process.env.XDG_CACHE_HOME?.startsWith("/") ? process.env.XDG_CACHE_HOME : join(homedir(), ".cache");
    return join(cache, "brig", "launcher");
  }
}

try {
  const folder = chooseFolder();
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  await compileLauncher(join(folder, "brig"));
  console.log(join(folder, "brig"));
} catch (error) {
  fail(error.message, error.hint ?? "the lines above say why");
}
