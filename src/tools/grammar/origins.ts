import type { Origin } from "../../spec/extension.js";

/** Gathers who asked for what and what a tool says when it fails, by JSON pointer, while a spec is built. */
export interface Notes {
  origins: Record<string, Origin>;
  sayings: Record<string, string>;
  add(pointer: string, text: string, saying?: string): void;
}

export function startNotes(): Notes {
  const origins: Record<string, Origin> = {};
  const sayings: Record<string, string> = {};
  return {
    origins,
    sayings,
    add: (pointer, text, saying) => {
      origins[pointer] = { kind: "flag", text };
      if (saying !== undefined) sayings[pointer] = saying;
    },
  };
}
