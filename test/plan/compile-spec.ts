/** A program: compiles the spec on standard input as whoever runs it, and writes the plan to standard output. */
import { readFileSync, writeSync } from "node:fs";
import { readHostFacts } from "../../src/host/facts.js";
import { type CompileOptions, compilePlan } from "../../src/plan/compile.js";
import { encodePlan } from "../../src/plan/encode.js";
import type { Spec } from "../../src/spec/oci.js";

const { spec, options } = JSON.parse(readFileSync(0, "utf8")) as { spec: Spec; options: CompileOptions };
try {
  const bytes = encodePlan(compilePlan(spec, readHostFacts(), options));
  for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
} catch (error) {
  process.stderr.write(JSON.stringify(error));
  process.exitCode = 1;
}
