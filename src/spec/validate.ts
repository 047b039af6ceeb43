import type * as z from "zod";
import { BrigError } from "../error/brig-error.js";
import { checkExtension } from "./check-extension.js";
import { checkLinux, checkSeccomp } from "./check-linux.js";
import { checkMounts } from "./check-mounts.js";
import { checkProcess } from "./check-process.js";
import { cleanDocument } from "./clean-document.js";
import { describeIssues, describeUnknownKey, formatPath, type Problem } from "./describe-issues.js";
import type { Extension } from "./extension.js";
import { extensionSchema } from "./extension-schema.js";
import type { Seccomp, Spec } from "./oci.js";
import { specSchema } from "./schema.js";
import { seccompSchema } from "./schema-seccomp.js";
import { listKeys, stepInto } from "./schema-shape.js";

const PREFIX = "dev.brig.";

/**
 * Holds a document against the OCI Runtime Specification 1.2 (Linux) and the `dev.brig.` extension: shapes, then
 * whether the settings agree with each other. Whether this host can do it is not looked at. What comes back is a copy
 * without fields that are null; fields which the specification does not know are in it, see `findUnknownFields`.
 *
 * @param where what the document is called in errors: a file's name
 * @throws BrigError BRIG_BAD_SPEC with all problems at once, each with its path: "linux.namespaces[2].type: …"
 */
export function validateSpec(document: unknown, where = "config.json"): Spec {
  const problems: Problem[] = [];
  const clean = cleanDocument(document, problems);
  problems.push(...checkShape(specSchema, clean));
  const spec = clean as Spec;
  const extension = problems.length === 0 ? readAnnotations(spec, problems) : {};
  if (problems.length === 0) problems.push(...checkProcess(spec.process), ...checkMounts(spec.mounts ?? []), ...checkLinux(spec, extension));
  if (problems.length === 0) problems.push(...checkExtension(spec, extension).map(underAnnotation));
  if (problems.length > 0) throw refuse(problems, where);
  return spec;
}

/**
 * Holds a seccomp filter of its own (the value of `linux.seccomp`) against the specification. Docker's profile format
 * looks alike but has conditions on rules; taken for OCI it would allow more than it says, so that it is refused.
 *
 * @throws BrigError BRIG_BAD_SPEC
 */
export function validateSeccomp(document: unknown, where = "seccomp"): Seccomp {
  const problems: Problem[] = [];
  const clean = cleanDocument(document, problems);
  problems.push(...checkShape(seccompSchema, clean));
  if (problems.length === 0) problems.push(...checkSeccomp(clean as Seccomp), ...findConditions(clean));
  if (problems.length > 0) throw refuse(problems, where);
  return clean as Seccomp;
}

/**
 * The document's fields that neither OCI 1.2 for Linux nor the extension knows, as sentences: 'linux.maskedPath is not
 * known; did you mean maskedPaths?'. The specification has runtimes ignore them; a person wants to hear of a misspelt one.
 */
export function findUnknownFields(document: unknown): string[] {
  return listUnknown(specSchema, document, []).map(({ path, text }) => `${formatPath(path)} ${text}`);
}

function checkShape(schema: z.ZodType, document: unknown): Problem[] {
  const result = schema.safeParse(document);
  return result.success ? [] : describeIssues(schema, document, result.error.issues);
}

/** The extension in the annotations; what is wrong with it goes into `problems`. */
function readAnnotations(spec: Spec, problems: Problem[]): Extension {
  const extension: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(spec.annotations ?? {})) {
    if (!name.startsWith(PREFIX)) continue;
    try {
      extension[name.slice(PREFIX.length)] = cleanDocument(JSON.parse(text), problems, ["annotations", name]);
    } catch (cause) {
      problems.push({ path: ["annotations", name], text: `must be JSON: ${(cause as Error).message}` });
    }
  }
  problems.push(...checkShape(extensionSchema, extension).map(underAnnotation));
  if (spec.root?.path === "" && !extension["rootTmpfs"]) problems.push({ path: ["root", "path"], text: "must not be empty" });
  return extension;
}

function underAnnotation({ path: [field, ...path], text }: Problem): Problem {
  return { path: ["annotations", PREFIX + String(field), ...path], text };
}

function findConditions(document: unknown): Problem[] {
  const { syscalls = [] } = document as { syscalls?: Record<string, unknown>[] };
  return syscalls.flatMap((rule, index) =>
    ["includes", "excludes"].filter((key) => Object.keys(rule[key] ?? {}).length > 0).map((key) => ({ path: ["syscalls", index, key], text: "is of Docker's format; OCI has no conditions on rules" })),
  );
}

function listUnknown(schema: z.ZodType, value: unknown, path: PropertyKey[]): Problem[] {
  if (typeof value !== "object" || value === null || path.length > 64) return [];
  const keys = isOpen(schema) ? undefined : listKeys(schema);
  const entries: [PropertyKey, unknown][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return entries.flatMap(([key, item]) => {
    const inside = stepInto(schema, key);
    if (inside) return listUnknown(inside, item, [...path, key]);
    return keys ? [{ path: [...path, key], text: describeUnknownKey(String(key), keys) }] : [];
  });
}

/** Whether an object's further keys are its own business (`blockIO`). */
function isOpen(schema: z.ZodType): boolean {
  return listKeys(schema) !== undefined && stepInto(schema, "\0") !== undefined;
}

function refuse(problems: readonly Problem[], where: string): BrigError {
  const lines = problems.map(({ path, text }) => [formatPath(path), text].filter(Boolean).join(": "));
  const message = lines.length === 1 ? `${where}: ${lines[0]}` : `${where}: ${lines.length} problems:\n  ${lines.join("\n  ")}`;
  return new BrigError(message, { code: "BRIG_BAD_SPEC", origin: where, hint: "the OCI runtime specification (config.md, config-linux.md) says what each field takes" });
}
