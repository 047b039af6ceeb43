/** Builds a shared root ahead of the tests that want it: `node build-early.js KIND`. */
import { buildOnce } from "./build-once.js";
import type { RootKind } from "./recipes.js";

const why = buildOnce(process.argv[2] as RootKind);
if (why !== undefined) console.error(why);
