import assert from "node:assert/strict";
import { test } from "node:test";
import type * as z from "zod";
import type { Extension } from "../../src/spec/extension.js";
import { extensionSchema } from "../../src/spec/extension-schema.js";
import type { Seccomp, Spec } from "../../src/spec/oci.js";
import { specSchema } from "../../src/spec/schema.js";
import type { seccompSchema } from "../../src/spec/schema-seccomp.js";

type Parsed<S extends z.ZodType> = z.infer<S>;
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

// Each type fits the other, and at the top both have the same keys: the compiler holds schema and types together.
export const specFits = (parsed: Parsed<typeof specSchema>): Spec => parsed;
export const specSchemaFits = (spec: Spec): Parsed<typeof specSchema> => spec;
export const seccompFits = (parsed: Parsed<typeof seccompSchema>): Seccomp => parsed;
export const extensionFits = (parsed: Parsed<typeof extensionSchema>): Extension => parsed;
export const extensionSchemaFits = (extension: Extension): Parsed<typeof extensionSchema> => extension;
export const specKeys: Same<keyof Parsed<typeof specSchema>, keyof Spec> = true;
export const processKeys: Same<keyof NonNullable<Parsed<typeof specSchema>["process"]>, keyof NonNullable<Spec["process"]>> = true;
export const linuxKeys: Same<keyof NonNullable<Parsed<typeof specSchema>["linux"]>, keyof NonNullable<Spec["linux"]>> = true;
export const extensionKeys: Same<keyof Parsed<typeof extensionSchema>, keyof Extension> = true;

test("the smallest documents are taken", () => {
  assert.ok(specSchema.safeParse({ ociVersion: "1.2.0" }).success);
  assert.ok(extensionSchema.safeParse({}).success);
});
