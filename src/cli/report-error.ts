import { paint, wantsColour } from "./output/colour.js";
import { printError } from "./output/print.js";

/** What brig itself exits with when it, and not the payload, failed (docker, podman and env(1) use the same). */
export const EXIT_FAILURE = 125;

/** Bundles of several commands each hold a copy of the class, so that `instanceof` would not see them as one. */
interface BrigErrorShape {
  code: string;
  message: string;
  hint?: string | undefined;
  origin?: string | undefined;
  exitCode: number;
}

/** Prints the error on standard error, as text or as one JSON document, and returns the exit status. */
export function reportError(error: unknown, asJson: boolean): number {
  if (!isBrigError(error)) return reportBug(error, asJson);
  if (asJson) {
    const { code, message, hint, origin } = error;
    printError(JSON.stringify({ error: { code, message, hint, origin } }));
  } else printError(renderError(error, wantsColour(2)));
  return error.exitCode;
}

/** "brig: MESSAGE", who asked for it, and what to do. */
export function renderError(error: Pick<BrigErrorShape, "message" | "hint" | "origin">, colour: boolean): string {
  const lines = [`${paint("bold", "brig:", colour)} ${paint("red", error.message, colour)}`];
  if (error.origin) lines.push(`  asked for by: ${error.origin}`);
  if (error.hint) lines.push(`  hint: ${error.hint}`);
  return lines.join("\n");
}

function isBrigError(error: unknown): error is BrigErrorShape {
  return error instanceof Error && error.name === "BrigError" && "exitCode" in error;
}

function reportBug(error: unknown, asJson: boolean): number {
  const message = error instanceof Error ? error.message : String(error);
  const stack = error instanceof Error ? error.stack : undefined;
  if (asJson) printError(JSON.stringify({ error: { code: "BRIG_BUG", message, stack } }));
  else printError(`brig: ${message}\n  hint: this is a defect of brig; please report it with the lines below\n${stack ?? ""}`);
  return EXIT_FAILURE;
}
