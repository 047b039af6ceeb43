import { BrigError } from "../error/brig-error.js";
import { findRunFolder } from "../launch/run-folder.js";
import { type Exit, STREAM } from "../launch/zygote-frames.js";
import { patchPlan } from "../plan/patch.js";
import { findSandbox } from "../sandbox/find.js";
import { listSandboxes } from "../sandbox/list.js";
import { isAlive, type ProcessId, signalProcess } from "../sandbox/process.js";
import { readExit } from "../sandbox/record.js";
import { isLive, listOwnCgroups, readSandbox, type Sandbox as State, type SandboxState } from "../sandbox/sandbox.js";
import type { Spec } from "../spec/oci.js";
import { type Engine, findSharedEngine } from "./engine.js";
import { describeExit, execute } from "./exec.js";
import { FileServer } from "./files/file-server.js";
import { SandboxFiles } from "./files/sandbox-files.js";
import { isEnding } from "./is-ending.js";
import { Joining } from "./joining.js";
import { launch, type Launchable } from "./launch.js";
import { OomWatch } from "./oom-watch.js";
import type { ExecOptions, ExecResult, ProcessExit, ProcessOptions, SandboxOptions, SpawnOptions } from "./options.js";
import { makePayload } from "./payload.js";
import { makeScript, type Word } from "./sh.js";
import { SandboxProcess } from "./spawn.js";
import type { Template } from "./template.js";

/** A running process of `sh` in a template: the result, when it has ended. */
export interface Shell {
  (parts: TemplateStringsArray, ...values: Word[]): Promise<ExecResult>;
  /** The same with options: `` box.sh({ check: true })`make` ``. */
  (options: ExecOptions & { encoding?: "utf8" }): (parts: TemplateStringsArray, ...values: Word[]) => Promise<ExecResult>;
}

/** What a sandbox is on this host. */
export interface SandboxInfo {
  id: string;
  name: string | undefined;
  state: SandboxState;
  /** Its first process. */
  pid: number | undefined;
  created: Date;
  /** Of one that has ended and is kept. */
  exitCode: number | undefined;
}

/** Who keeps a sandbox, as far as the rest needs it. */
interface Keeper {
  /** Started here: disposing of it ends it. */
  own: boolean;
  /** Rejects when nobody knows how it ended. */
  end: Promise<ProcessExit>;
  close: () => Promise<void>;
  /** Keeps this process alive for it, or not. */
  reference: (wanted: boolean) => void;
}

/**
 * A sandbox that stays: commands run in it one after another or at once, and share its files, processes and network.
 * It ends when it is disposed of (`await using`), or with this process.
 */
export class Sandbox implements AsyncDisposable {
  readonly id: string;
  readonly name: string | undefined;
  /** Its first process, on the host. */
  readonly pid: number;
  /** Its files, as its own processes see them. No link leads outside. */
  readonly fs: SandboxFiles;
  /** Runs a script by the sandbox's /bin/sh: each value is one word, a list several. */
  readonly sh: Shell;
  readonly #engine: Engine;
  readonly #spec: Spec;
  readonly #first: ProcessId;
  readonly #joining: Joining;
  readonly #keeper: Keeper;
  readonly #oom: OomWatch;
  #ended = false;
  #server: FileServer | undefined;

  private constructor(engine: Engine, state: State, spec: Spec, keeper: Keeper) {
    this.id = state.id;
    this.name = state.name;
    this.pid = (state.first as ProcessId).pid;
    this.#first = state.first as ProcessId;
    this.#engine = engine;
    this.#spec = spec;
    this.#joining = new Joining(state, engine.host);
    this.#keeper = keeper;
    this.#oom = new OomWatch(listOwnCgroups(state));
    keeper.end.then(() => undefined, () => undefined).then(() => (this.#ended = true));
    this.fs = new SandboxFiles(() => this.#serve(), spec.process?.cwd ?? "/");
    this.sh = makeShell((script, options) => this.exec("/bin/sh", ["-c", script], options));
  }

  /**
   * A sandbox that stays until it is disposed of. Without options it has the safe default of `brig run`.
   * @param engine of a `Brig`
   * @throws BrigError when it cannot be made; AbortError
   */
  static async create(options: SandboxOptions & { signal?: AbortSignal | undefined } = {}, engine: Engine = findSharedEngine()): Promise<Sandbox> {
    const { signal, ...walls } = options;
    const template = await engine.templates.take(walls, "box");
    const { state, keeper } = await startIdle(engine, template, signal);
    return new Sandbox(engine, state, template.spec, keeper);
  }

  /**
   * One that runs on this host, whoever of this user's programs started it; by its id, the beginning of it, or its name.
   * To dispose of it lets go of it only: `kill` ends it.
   * @throws BrigError BRIG_NO_SUCH_SANDBOX, BRIG_AMBIGUOUS, BRIG_SANDBOX_ENDED
   */
  static async get(reference: string, engine: Engine = findSharedEngine()): Promise<Sandbox> {
    const state = findSandbox(reference);
    if (!isLive(state) || !state.record || !state.first) throw makeEnded(state.id);
    return new Sandbox(engine, state, state.record.spec, watchForeign(state));
  }

  /** This user's sandboxes, running and kept, newest first. */
  static async list(): Promise<SandboxInfo[]> {
    return listSandboxes().map(({ id, name, state, first, createdMs, exit }) => ({ id, name, state, pid: first?.pid, created: new Date(createdMs), exitCode: exit?.exitCode }));
  }

  /** Whether it is known to have ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Runs a program to its end. It throws only when the sandbox could not do it: whether the program did well is in the
   * result, unless `check` is set.
   * @throws BrigError BRIG_NOT_FOUND, BRIG_CANNOT_EXECUTE, BRIG_SANDBOX_ENDED; ExecError; AbortError
   */
  exec(file: string, args: readonly string[] | undefined, options: ExecOptions & { encoding: "buffer" }): Promise<ExecResult<Uint8Array>>;
  exec(file: string, args?: readonly string[], options?: ExecOptions & { encoding?: "utf8" | undefined }): Promise<ExecResult>;
  async exec(file: string, args: readonly string[] = [], options: ExecOptions = {}): Promise<ExecResult<string | Uint8Array>> {
    return await execute(this.#engine.startZygote(), this.#join(file, args, options), [file, ...args], options, (exit) => this.#explain(exit));
  }

  /** Starts a program, whose streams are then read and written as it runs. */
  spawn(file: string, args: readonly string[] = [], options: SpawnOptions = {}): SandboxProcess {
    return new SandboxProcess(this.#engine.startZygote(), this.#join(file, args, options), options, (exit) => this.#explain(exit));
  }

  /** Resolves when it has ended by itself or by somebody else (timeout, out of memory, `brig kill`). */
  async wait(): Promise<ProcessExit> {
    this.#keeper.reference(true);
    return await this.#keeper.end;
  }

  /** Ends it with everything in it. */
  async kill(): Promise<void> {
    this.#keeper.reference(true);
    if (!this.#ended) await this.#keeper.close();
    await this.#keeper.end.catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#keeper.own) await this.kill();
    else this.#keeper.reference(false);
  }

  #join(file: string, args: readonly string[], options: ProcessOptions): Launchable {
    if (this.#ended) throw makeEnded(this.id);
    const { plan, bytes } = this.#joining.command;
    return { bytes: patchPlan(bytes, makePayload(this.#spec, file, args, options)), plan, blame: (failure) => this.#blame(failure) };
  }

  #explain(exit: Exit): ProcessExit {
    if (exit.signal === "SIGKILL" && !exit.timedOut && (this.#ended || isEnding(this.#first))) throw makeEnded(this.id);
    return { ...describeExit(exit), oomKilled: this.#oom.sawKill(exit) };
  }

  #blame(failure: BrigError): BrigError {
    return this.#ended || isEnding(this.#first) ? makeEnded(this.id, failure) : failure;
  }

  #serve(): FileServer {
    if (this.#ended) throw makeEnded(this.id);
    if (!this.#server || this.#server.ended) this.#server = new FileServer(this.#engine.startZygote(), { ...this.#joining.fileServer, blame: (failure) => this.#blame(failure) });
    return this.#server;
  }
}

/** Starts a sandbox without a payload: its first process waits to be ended, and others join it. */
async function startIdle(engine: Engine, template: Template, signal: AbortSignal | undefined): Promise<{ state: State; keeper: Keeper }> {
  return await new Promise((resolve, reject) => {
    let settle: { exit: (exit: ProcessExit) => void; fail: (error: Error) => void } | undefined;
    const end = new Promise<ProcessExit>((exit, fail) => (settle = { exit, fail }));
    end.catch(() => undefined);
    let id = "";
    const run = launch(engine.startZygote(), template.idle as Launchable, { stdio: [STREAM.ignore, STREAM.ignore, STREAM.ignore], credit: 0 }, signal, {
      created: (given) => void (id = given),
      started: () => {
        const state = readSandbox(findRunFolder(engine.host.euid), id);
        if (!state?.first || !isLive(state)) return run.close();
        run.reference(false);
        resolve({ state, keeper: { own: true, end, close: async () => run.close(), reference: (wanted) => run.reference(wanted) } });
      },
      over: (exit, error) => {
        reject(error ?? makeEnded(id));
        if (error || !exit) settle?.fail(error ?? makeEnded(id));
        else settle?.exit(describeExit(exit));
      },
    });
  });
}

const LOOK_MS = 100;

/** A sandbox of another program's: there is nobody who would tell of its end. */
function watchForeign(state: State): Keeper {
  let timer: NodeJS.Timeout | undefined;
  const began = state.createdMs;
  const end = new Promise<ProcessExit>((resolve) => {
    timer = setInterval(() => {
      if (state.supervisor && isAlive(state.supervisor)) return;
      clearInterval(timer);
      const code = readExit(state.folder)?.exitCode;
      resolve({ exitCode: code ?? null, signal: code === undefined ? "SIGKILL" : null, durationMs: Date.now() - began, timedOut: false, oomKilled: false });
    }, LOOK_MS).unref();
  });
  const close = async (): Promise<void> => void (state.first && signalProcess(state.first, "SIGKILL"));
  return { own: false, end, close, reference: (wanted) => void (wanted ? timer?.ref() : timer?.unref()) };
}

function makeEnded(id: string, cause?: Error): BrigError {
  return new BrigError(`the sandbox ${id} has ended`, { code: "BRIG_SANDBOX_ENDED", hint: "make another with Sandbox.create", cause });
}

function makeShell(execute: (script: string, options: ExecOptions & { encoding?: "utf8" }) => Promise<ExecResult>): Shell {
  const shell = (first: TemplateStringsArray | (ExecOptions & { encoding?: "utf8" }), ...values: Word[]): unknown => {
    if (Array.isArray(first)) return execute(makeScript(first as readonly string[], values), {});
    return (parts: TemplateStringsArray, ...words: Word[]) => execute(makeScript(parts, words), first as ExecOptions & { encoding?: "utf8" });
  };
  return shell as Shell;
}

