import * as z from "zod";
import { findNearest } from "./nearest.js";
import { showValue } from "./show-value.js";

/** A 64-bit number as far as JavaScript holds it: 18446744073709551615 in JSON arrives as 2^64. */
export const uint64 = z.number().refine((value) => Number.isInteger(value) && value >= 0 && value <= 2 ** 64, "must be a whole number from 0 to 2^64 - 1");
export const int64 = z.number().refine((value) => Number.isInteger(value) && Math.abs(value) <= 2 ** 63, "must be a whole number of 64 bits");
export const uint32 = z.int().min(0).max(2 ** 32 - 1);
/** 2^32 - 1 means "leave as it is" to setresuid(2). */
export const id = z.int().min(0).max(2 ** 32 - 2);
export const text = z.string().min(1);
export const absolutePath = z.string().regex(/^\//, 'must be an absolute path ("/" first)');
export const mode = z.int().min(0).max(0o7777);
export const cpuList = z.string().regex(/^\d+(-\d+)?(,\d+(-\d+)?)*$/, 'must be a list of numbers such as "0-3,7"');

/** A string that is one of these; typed as a string, since the OCI types leave these lists open. */
export function oneOf(known: readonly string[]): z.ZodString {
  return z.string().superRefine((value, context) => {
    if (known.includes(value)) return;
    const nearest = findNearest(value, known);
    context.addIssue({ code: "custom", message: `${showValue(value)} is not known; ${nearest ? `did you mean ${nearest}?` : `known are ${known.slice(0, 12).join(", ")}${known.length > 12 ? " …" : ""}`}` });
  });
}

export const idMapping = z.object({ containerID: id, hostID: id, size: z.int().min(1).max(2 ** 32 - 1) });

/** "NAME=value". */
export const variable = z.string().regex(/^[^=]+=/s, 'must be "NAME=value"');
