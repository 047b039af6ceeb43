import type { CommandForm } from "../grammar.js";

export interface Registration {
  /** The heading under which `brig --help` lists it. */
  group: Group;
  /** One line for `brig --help`, without a full stop. */
  summary: string;
  load: () => Promise<{ command: CommandForm }>;
}

export type Group = "Run something" | "What runs" | "Understand" | "Tools with their own grammar" | "Roots" | "brig itself" | "hidden";

export const groups: Group[] = ["Run something", "What runs", "Understand", "Tools with their own grammar", "Roots", "brig itself"];

/** Every command. The order is that of `brig --help`. */
export const commands: Record<string, Registration> = {
  doctor: {
    group: "Understand",
    summary: "what this host offers and lacks for sandboxes, and what to do",
    load: () => import("./doctor.js"),
  },
  explain: {
    group: "Understand",
    summary: "what separates a process from the host, wall by wall",
    load: () => import("./explain.js"),
  },
  jail: {
    group: "Roots",
    summary: "make a root with just some programs, or check one",
    load: () => import("./jail.js"),
  },
  completion: {
    group: "brig itself",
    summary: "print a completion script for a shell",
    load: () => import("./completion.js"),
  },
};
