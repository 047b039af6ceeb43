/** What went wrong, in a form that programs can act on: every error that brig throws is one of these. */
export interface BrigErrorOptions {
  /** Stable and upper-case, `BRIG_` first: `BRIG_BAD_OPTION`, `BRIG_NO_USER_NAMESPACE`. */
  code: string;
  /** What to do about it, as one sentence or a command. */
  hint?: string | undefined;
  /** Who asked for what failed: "--read /x" or "/etc/firejail/firefox.profile:12". */
  origin?: string | undefined;
  /** What the command exits with: 125 unless the payload could not be executed (126) or found (127). */
  exitCode?: number | undefined;
  cause?: unknown;
}

/** The base of all errors that brig throws. */
export class BrigError extends Error {
  override name = "BrigError";
  readonly code: string;
  readonly hint: string | undefined;
  readonly origin: string | undefined;
  readonly exitCode: number;

  constructor(message: string, options: BrigErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.hint = options.hint;
    this.origin = options.origin;
    this.exitCode = options.exitCode ?? 125;
  }

  /** The fields that a program wants, for `--json`. */
  toJSON(): { code: string; message: string; hint: string | undefined; origin: string | undefined } {
    return { code: this.code, message: this.message, hint: this.hint, origin: this.origin };
  }
}
