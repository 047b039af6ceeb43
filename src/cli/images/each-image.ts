import { printError } from "../output/print.js";
import { renderError } from "../report-error.js";
import { wantsColour } from "../output/colour.js";
import { BrigError } from "../../error/brig-error.js";

/** Does something for each word; one that fails does not stop the others. Returns the exit status. */
export async function forEachWord(words: readonly string[], run: (word: string) => Promise<void>): Promise<number> {
  let failed = false;
  for (const word of words) {
    try {
      await run(word);
    } catch (error) {
      if (!(error instanceof BrigError)) throw error;
      failed = true;
      printError(renderError(error, wantsColour(2)));
    }
  }
  return failed ? 1 : 0;
}
