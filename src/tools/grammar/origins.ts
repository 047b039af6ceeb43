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

/** Who asked for an identity, and what util-linux says of each call that takes it on. */
export function addIdentitySayings(notes: Notes, texts: (string | undefined)[]): void {
  notes.add("/process/user", texts.filter(Boolean).join(" "), "setuid failed");
  notes.sayings["/process/user#setgroups"] = "setgroups failed";
  notes.sayings["/process/user#setresgid"] = "setgid failed";
}
