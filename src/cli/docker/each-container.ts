import { BrigError } from "../../error/brig-error.js";
import { findContainer } from "../../container/find.js";
import { openContainersFolder } from "../../container/folder.js";
import { sweepContainers } from "../../container/life.js";
import type { Container } from "../../container/model.js";
import type { ParsedWords } from "../grammar.js";
import { print, printError } from "../output/print.js";

/**
 * Does something with each container that was named, prints its name or what came of it, and goes on behind a failure:
 * 1 when there was one.
 */
export async function forEachContainer(words: Pick<ParsedWords, "operands">, act: (folder: string, container: Container) => Promise<string | void> | string | void): Promise<number> {
  const folder = openContainersFolder();
  await sweepContainers(folder);
  let status = 0;
  for (const reference of words.operands) {
    try {
      print(`${(await act(folder, findContainer(folder, reference))) ?? reference}\n`);
    } catch (error) {
      if (!(error instanceof BrigError)) throw error;
      printError(`Error: ${error.message}${error.hint === undefined ? "" : `\n  hint: ${error.hint}`}`);
      status = 1;
    }
  }
  return status;
}

/** The one that was named. */
export async function takeContainer(reference: string): Promise<{ folder: string; container: Container }> {
  const folder = openContainersFolder();
  await sweepContainers(folder);
  return { folder, container: findContainer(folder, reference) };
}
