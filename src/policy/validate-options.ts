import type * as z from "zod";
import { BrigError } from "../error/brig-error.js";
import { cleanDocument } from "../spec/clean-document.js";
import { describeIssues, formatPath, type Problem } from "../spec/describe-issues.js";
import type { SandboxOptions } from "./options.js";
import { optionsSchema } from "./options-schema.js";

/** What an error says before a problem's path: the document, and for a file the line. */
export type Locate = (path: readonly PropertyKey[]) => string;

/**
 * Holds a value from outside (a profile, a request, a program without types) against `SandboxOptions`. Fields that are
 * undefined or null count as left out. Sizes, times, binds and the like are read once, so that what comes back can be
 * read; whether this host can do it is not looked at.
 *
 * @param where what the document is called in errors: a file's name, "options"
 * @throws BrigError BRIG_BAD_OPTIONS with all problems at once; an unknown key comes with the nearest known one
 */
export function validateOptions(document: unknown, where = "options"): SandboxOptions {
  return validateWith(optionsSchema, document, () => where);
}

/** `validateOptions` for any schema, with the place of each problem named by `locate`. */
export function validateWith<T>(schema: z.ZodType<T>, document: unknown, locate: Locate, code = "BRIG_BAD_OPTIONS"): T {
  const problems: Problem[] = [];
  const clean = cleanDocument(document, problems);
  const result = schema.safeParse(clean);
  if (!result.success) problems.push(...describeIssues(schema, clean, result.error.issues));
  if (problems.length > 0) throw refuse(problems, locate, code);
  return result.data as T;
}

function refuse(problems: readonly Problem[], locate: Locate, code: string): BrigError {
  const lines = problems.map(({ path, text }) => [locate(path), formatPath(path), text].filter(Boolean).join(": "));
  const message = lines.length === 1 ? `${lines[0]}` : `${locate([])}: ${lines.length} problems:\n  ${lines.join("\n  ")}`;
  return new BrigError(message, { code, origin: locate(problems[0]?.path ?? []), hint: "docs/profile.schema.json lists every key and what it takes" });
}
