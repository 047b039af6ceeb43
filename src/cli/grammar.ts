/**
 * The form in which every command says what it understands. Parsing (`parse-words.ts`), `--help` (`help.ts`), shell
 * completion (`completion/`) and the docs' option tables all come from it.
 *
 * To add a command NAME:
 *   1. write `src/cli/commands/NAME.ts` that exports `command: CommandForm` (`completion.ts` is a small example);
 *   2. add a line to `src/cli/commands/index.ts`, which holds its summary and loads the file only when it is used.
 *
 * `run` gets the parsed words and returns the exit status (nothing means 0). It prints data with `print` and
 * `printJson` of `output/print.ts` (never `process.stdout`, which is slow to open and not safe against EPIPE), takes
 * failures as thrown `BrigError`s, and launches a plan with `handOverPlan` of `src/launch/hand-over.ts`.
 * `--help` and `-h` are understood by every command, and need no mention. Commands that print data have `jsonOption`.
 */
export interface CommandForm {
  name: string;
  /** What follows "brig ": "run [OPTIONS] -- COMMAND [ARGUMENT…]". */
  usage: string[];
  /** Paragraphs for `--help`, below the summary. */
  description?: string;
  options: OptionForm[];
  examples?: Example[];
  /** What the words that are no options stand for, for completion. */
  operands?: Completion;
  /** Options end at the first word that is no option: the rest is someone else's command line. */
  stopAtOperand?: boolean;
  /** The command has a grammar of its own (that of the tool it stands for): `run` gets all words as operands. */
  ownGrammar?: boolean;
  /** Refuses more or fewer operands. */
  minOperands?: number;
  maxOperands?: number;
  run(words: ParsedWords): number | void | Promise<number | void>;
}

export interface OptionForm {
  /** Without dashes: "read". */
  name: string;
  /** One letter, without a dash. */
  short?: string;
  /** What the value is called in the help ("PATH"); an option without one is a switch. */
  value?: string;
  /** What the option stands for without a value; a value then comes behind "=" only. */
  bare?: string;
  /** May be given several times. Otherwise the last one counts. */
  repeat?: boolean;
  /** A switch that `--no-NAME` turns off. */
  negatable?: boolean;
  help: string;
  /** The heading under which the help lists it. */
  group?: string;
  complete?: Completion;
  hidden?: boolean;
}

/** What a shell offers for a value: one of these kinds, or one of a fixed list of words. */
export type Completion = "path" | "folder" | "command" | "sandbox" | "none" | readonly string[];

export interface Example {
  /** As typed: "brig run -- ls -la". */
  words: string;
  what: string;
}

/** An option as it stood on the command line. */
export interface TypedOption {
  name: string;
  /** The value; "" for a switch. */
  value: string;
  /** False for `--no-NAME`. */
  on: boolean;
  /** As the person wrote it, for origins and errors: "--read /srv", "--read=/srv". */
  text: string;
}

export interface ParsedWords {
  /** In the order typed. */
  typed: TypedOption[];
  operands: string[];
  /** Whether a switch is on, or an option was given at all. */
  has(name: string): boolean;
  /** The value of an option, the last one when it was repeated. */
  value(name: string): string | undefined;
  /** All values of an option. */
  values(name: string): string[];
}

export const jsonOption: OptionForm = { name: "json", help: "print JSON, and errors as JSON too" };
