import { BrigError } from "../../error/brig-error.js";
import type { NetworkDefinition } from "../../network/named/definition.js";
import { findNetwork } from "../../network/named/store.js";
import type { ParsedWords } from "../grammar.js";
import { print } from "../output/print.js";
import { reportError } from "../report-error.js";

/** Does the same to every network that was named and prints the names, as docker does; 1 when one failed. */
export function forEachNetwork(words: ParsedWords, act: (definition: NetworkDefinition) => void): number {
  let status = 0;
  for (const reference of words.operands) {
    try {
      act(findNetwork(reference));
      print(reference);
    } catch (error) {
      if (words.has("force") && error instanceof BrigError && error.code === "BRIG_NO_SUCH_NETWORK") continue;
      reportError(error, words.has("json"));
      status = 1;
    }
  }
  return status;
}

/** "a=b" and "c" to { a: "b", c: "" }. */
export function readPairs(texts: string[]): Record<string, string> {
  return Object.fromEntries(texts.map((text) => [text.split("=", 1)[0] ?? "", text.includes("=") ? text.slice(text.indexOf("=") + 1) : ""]));
}
