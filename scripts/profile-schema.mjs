// node scripts/profile-schema.mjs: writes docs/profile.schema.json from the schema that profiles are held against.
// A test fails when the two differ.
import { writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { transpile } from "./transpile.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = resolve(process.env.BRIG_BUILD_DIR ?? join(root, ".build"));
for (const failure of await transpile(root, out)) console.error(failure);
const { describeProfileSchema } = await import(pathToFileURL(join(out, "src/policy/profile-schema.js")).href);
writeFileSync(join(root, "docs/profile.schema.json"), `${JSON.stringify(describeProfileSchema(), null, 2)}\n`);
