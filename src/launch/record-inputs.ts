import fs from "node:fs";
import type { Witness } from "../plan/plan.js";
import { AnswerBook } from "./answer-book.js";

type Files = Record<string, (...words: never[]) => unknown>;
type Call = (...words: unknown[]) => unknown;

/** What changes something, or tells somebody: a kept plan would leave it out the next time. */
const DEEDS = ["writeSync", "writeFileSync", "appendFileSync", "mkdirSync", "mkdtempSync", "rmSync", "rmdirSync", "unlinkSync", "renameSync", "symlinkSync", "linkSync", "chmodSync", "chownSync", "utimesSync", "opendirSync", "copyFileSync", "cpSync"];

/** Set by the launcher for Node alone: they are not there when a kept plan is looked at. */
const OWN_VARIABLES = new Set(["BRIG_ENTRY_FD", "BRIG_FAILURE_FD", "BRIG_LANDLOCK_ABI"]);

/** A recording of all that this process asks of files and variables, from `start` to `stop`. */
export interface Recording {
  /** Does something that the recording shall not see. */
  aside<T>(act: () => T): T;
  /** The answers as witnesses, or why no plan may depend on them: it would do less, or something else, the next time. */
  stop(): Witness[] | { unrepeatable: string };
}

/**
 * Begins to record. Whatever asks node:fs by path, or process.env by name, is seen, so that no dependency of a plan can
 * be forgotten by who adds a look at one more file. The exceptions are node:fs/promises, child processes and random
 * numbers, which nothing that is recorded may use.
 * @param sync makes the calls of ES modules seen too (node:module's `syncBuiltinESMExports`); bundles need none
 */
export function recordInputs(sync: () => void = () => undefined): Recording {
  const book = new AnswerBook();
  const files = fs as unknown as Files;
  const originals = wrapCalls(files, book);
  const { env } = process;
  const watched = watchEnvironment(env, book);
  const turn = (on: boolean): void => {
    for (const [name, { original, wrapped }] of originals) files[name] = on ? wrapped : original;
    process.env = on ? watched : env;
    sync();
  };
  turn(true);
  return {
    aside(act) {
      turn(false);
      try {
        return act();
      } finally {
        turn(true);
      }
    },
    stop() {
      if (fs.existsSync !== originals.get("existsSync")!.original) turn(false);
      return book.finish();
    },
  };
}

type Wrapper = (original: Call, book: AnswerBook) => Call;

function wrapCalls(files: Files, book: AnswerBook): Map<string, { original: Call; wrapped: Call }> {
  const wrappers: [string, Wrapper][] = [...Object.entries(LOOKS), ...DEEDS.map((name): [string, Wrapper] => [name, refuseDeed(name)])];
  return new Map(wrappers.map(([name, wrap]) => {
    const original = files[name] as unknown as Call;
    return [name, { original, wrapped: wrap(original, book) }];
  }));
}

function refuseDeed(name: string): Wrapper {
  return (original, book) => (...words) => {
    book.refuse(`${name} was called`);
    return original(...words);
  };
}

/** What an answer was, or the error that was thrown, told before it goes on its way. */
function hear(tell: (path: string, answer: unknown, error: NodeJS.ErrnoException | undefined, words: unknown[], book: AnswerBook) => void): Wrapper {
  return (original, book) => (...words) => {
    const [path] = words;
    if (typeof path !== "string") {
      book.refuse("a path is no text");
      return original(...words);
    }
    try {
      const answer = original(...words);
      tell(path, answer, undefined, words, book);
      return answer;
    } catch (error) {
      tell(path, undefined, error as NodeJS.ErrnoException, words, book);
      throw error;
    }
  };
}

/** For what is read: its state is taken before it is, so that a change on the way is one. */
const foresee: Wrapper = (original, book) => (...words) => {
  const [path, flags] = words;
  if (typeof path === "string") book.addRead(path, isWriting(flags));
  else if (typeof path !== "number" || !book.isOpen(path)) book.refuse("a descriptor of the caller's is read");
  const answer = original(...words);
  if (typeof path === "string" && typeof answer === "number") book.addOpen(answer);
  return answer;
};

function isWriting(flags: unknown): boolean {
  if (typeof flags === "number") return (flags & (fs.constants.O_WRONLY | fs.constants.O_RDWR | fs.constants.O_CREAT)) !== 0;
  return typeof flags === "string" && /[wa+]/.test(flags) && !/^utf/i.test(flags);
}

const hearReal = hear((path, answer, _error, _words, book) => book.addText("real", path, answer));

const LOOKS: Record<string, Wrapper> = {
  existsSync: hear((path, answer, _error, _words, book) => book.addAccess(path, fs.constants.F_OK, answer === true)),
  accessSync: hear((path, _answer, error, [, mode], book) => book.addAccess(path, typeof mode === "number" ? mode : fs.constants.F_OK, error === undefined)),
  statSync: hear((path, answer, error, _words, book) => book.addPlace("stat", path, answer, error)),
  lstatSync: hear((path, answer, error, _words, book) => book.addPlace("lstat", path, answer, error)),
  statfsSync: hear((path, _answer, _error, _words, book) => book.addPlaceNow(path)),
  readlinkSync: hear((path, answer, _error, _words, book) => book.addText("link", path, answer)),
  realpathSync: (original, book) => Object.assign(hearReal(original, book), { native: hearReal((original as unknown as { native: Call }).native, book) }),
  readdirSync: hear((path, answer, _error, _words, book) => book.addNames(path, answer)),
  openSync: foresee,
  readFileSync: foresee,
};

function watchEnvironment(env: NodeJS.ProcessEnv, book: AnswerBook): NodeJS.ProcessEnv {
  const note = (name: string | symbol): void => {
    if (typeof name === "string" && !OWN_VARIABLES.has(name)) book.addVariable(name, env[name]);
  };
  return new Proxy(env, {
    get: (target, name) => (note(name), Reflect.get(target, name) as unknown),
    has: (target, name) => (note(name), Reflect.has(target, name)),
    getOwnPropertyDescriptor: (target, name) => (note(name), Reflect.getOwnPropertyDescriptor(target, name)),
    ownKeys: (target) => (book.refuse("the whole environment was looked at"), Reflect.ownKeys(target)),
  });
}
