/** Put in by the build (`scripts/build.mjs`) from package.json; a run from unbundled files has "0.0.0". */
declare const BRIG_VERSION: string | undefined;
declare const BRIG_BUILD: string | undefined;

/** Of this brig: "0.1.0". */
export const version: string = typeof BRIG_VERSION === "string" ? BRIG_VERSION : "0.0.0";

/** 16 hex digits that name the plan format, of which launcher and compiler must have the same; all zero fits any. */
export const build: string = typeof BRIG_BUILD === "string" ? BRIG_BUILD : "0".repeat(16);
