import * as z from "zod";
import { optionsSchema } from "./options-schema.js";

/** A profile's keys: those of `SandboxOptions`, what it builds on, and the command when none is given. */
export const profileSchema = z.strictObject({
  $schema: z.string().describe("For editors; nothing is read from it.").exactOptional(),
  extends: z
    .union([z.string().min(1), z.array(z.string().min(1))], { error: "must be a profile's file name or a list of them" })
    .describe("Profiles that this one builds on, relative to its folder: lists are joined, other values replaced.")
    .exactOptional(),
  command: z.array(z.string()).min(1).describe("Program and arguments, when the command line names none.").exactOptional(),
  ...optionsSchema.shape,
});

export type Profile = z.infer<typeof profileSchema>;

/** The published JSON Schema (draft 2020-12) of a profile file. */
export function describeProfileSchema(): object {
  const { $schema, ...schema } = z.toJSONSchema(profileSchema, { io: "input" });
  return {
    $schema,
    title: "Brig profile",
    description: "What a sandbox may do, as TOML or JSON for `brig run --profile FILE`. Whatever is left out has the safe default.",
    ...schema,
  };
}
