import { BrigError } from "../../error/brig-error.js";

/** Runs something and puts machinectl's own words in front of what goes wrong: "Could not clone image: File exists". */
export async function blame<T>(words: string, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof BrigError)) throw error;
    throw new BrigError(`${words}: ${error.message}`, { code: error.code, exitCode: 1, hint: error.hint, cause: error });
  }
}
