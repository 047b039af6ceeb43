import type * as z from "zod";

interface Definition {
  type: string;
  innerType?: z.ZodType;
  element?: z.ZodType;
  valueType?: z.ZodType;
  shape?: Record<string, z.ZodType>;
  catchall?: z.ZodType;
  options?: z.ZodType[];
}

/** The schema itself, without what only says that it may be left out. */
function unwrap(schema: z.ZodType): Definition {
  const definition = schema._zod.def as Definition;
  return definition.innerType ? unwrap(definition.innerType) : definition;
}

/** The schema of what stands under this key or index: none when the key is not known to it. */
export function stepInto(schema: z.ZodType, key: PropertyKey): z.ZodType | undefined {
  const { shape, element, valueType, catchall, options } = unwrap(schema);
  if (shape) return Object.hasOwn(shape, key) ? shape[key as string] : catchall;
  if (options) return options.map((option) => stepInto(option, key)).find((found) => found !== undefined);
  return element ?? valueType;
}

/** The keys that an object of this schema may have; undefined when it is no object with keys of its own. */
export function listKeys(schema: z.ZodType): string[] | undefined {
  const { shape, options } = unwrap(schema);
  if (shape) return Object.keys(shape);
  const keys = options?.flatMap((option) => listKeys(option) ?? []);
  return keys && keys.length > 0 ? keys : undefined;
}
