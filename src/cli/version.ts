/** Put in by the build (`scripts/build.mjs`) from package.json; a run from unbundled files has "0.0.0". */
declare const BRIG_VERSION: string | undefined;

/** Of this brig: "0.1.0". */
export const version: string = typeof BRIG_VERSION === "string" ? BRIG_VERSION : "0.0.0";
