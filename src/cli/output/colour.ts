import { isTerminal } from "../../host/terminals.js";

/** Whether a descriptor wants colour: a terminal that is not "dumb", and NO_COLOR (no-color.org) unset or empty. */
export function wantsColour(descriptor: number, env: NodeJS.ProcessEnv = process.env): boolean {
  return isTerminal(descriptor) && !env["NO_COLOR"] && env["TERM"] !== "dumb";
}

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;

/** The text in this style (ECMA-48 SGR), or as it is when `on` is false. */
export function paint(style: keyof typeof CODES, text: string, on: boolean): string {
  return on ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text;
}
