import { findSandbox } from "../sandbox/find.js";
import { listSandboxes } from "../sandbox/list.js";
import type { Sandbox } from "../sandbox/sandbox.js";
import type { ParsedWords } from "./grammar.js";
import { print } from "./output/print.js";
import { reportError } from "./report-error.js";

const SOME_FAILED = 1;

/**
 * Does the same to every sandbox that was named, all of them at once, and prints each one's name when it is done, as
 * docker does. A failure does not keep the others from being done; with any, the exit status is 1.
 * @param act what it returns is printed in place of the name
 */
export async function forEachSandbox(words: ParsedWords, act: (sandbox: Sandbox) => Promise<string | number | void> | string | number | void): Promise<number> {
  const sandboxes = listSandboxes();
  const attempt = async (reference: string): Promise<number> => {
    try {
      print(String((await act(findSandbox(reference, sandboxes))) ?? reference));
      return 0;
    } catch (error) {
      reportError(error, words.has("json"));
      return SOME_FAILED;
    }
  };
  const statuses = await Promise.all([...new Set(words.operands)].map(attempt));
  return Math.max(...statuses);
}
