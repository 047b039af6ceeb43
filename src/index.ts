export { BrigError, type BrigErrorOptions } from "./error/brig-error.js";
export type { SandboxOptions } from "./policy/options.js";
