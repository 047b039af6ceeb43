import type { SandboxOptions as PolicyOptions } from "../policy/options.js";

/**
 * What a program says of a sandbox: the words of `brig run` (docs/run.md) but for those that only a person at a
 * terminal has a use for.
 */
export type SandboxOptions = Omit<PolicyOptions, "detach" | "ephemeral" | "tty" | "keep" | "dieWithParent">;

/** Standard input: text (as UTF-8), bytes, a node or web stream, or anything that yields text or bytes. */
export type Input = string | Uint8Array | AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array> | ReadableStream<string | Uint8Array>;

/** What every process may be given. */
export interface ProcessOptions {
  /** Ends it with everything it started, and rejects with an `AbortError`. */
  signal?: AbortSignal | undefined;
  /** Milliseconds or "30s": then SIGTERM to its process group, and after `graceMs` SIGKILL to everything it started. */
  timeoutMs?: number | string | undefined;
  /** Milliseconds or "2s". Default 10 s. */
  graceMs?: number | string | undefined;
  /** Variables beyond the sandbox's; undefined takes one away. */
  env?: Record<string, string | undefined> | undefined;
  /** Working folder inside, absolute. Default: the sandbox's. */
  cwd?: string | undefined;
  /** Standard output: to be read here (default), this process's own, or nowhere. */
  stdout?: "pipe" | "inherit" | "ignore" | undefined;
  /** Standard error; "stdout": where standard output goes, in one stream with it. */
  stderr?: "pipe" | "inherit" | "ignore" | "stdout" | undefined;
}

export interface SpawnOptions extends ProcessOptions {
  /** Standard input: to be written here (default), this process's own, nothing, or what is given. */
  stdin?: "pipe" | "inherit" | "ignore" | { input: Input } | undefined;
}

export interface ExecOptions extends ProcessOptions {
  /** Standard input. Default: nothing. */
  input?: Input | undefined;
  /** "buffer": `stdout` and `stderr` are bytes. Default "utf8". */
  encoding?: "utf8" | "buffer" | undefined;
  /** Bytes or "64MiB" of standard output and of standard error; beyond it everything is ended. Default 16 MiB. */
  maxBuffer?: number | string | undefined;
  /** Throw an `ExecError` unless it exits with 0. */
  check?: boolean | undefined;
}

/** `run`: the sandbox's options and the command's in one. */
export type RunOptions = Omit<SandboxOptions, "env" | "cwd" | "timeoutMs" | "graceMs"> & Omit<ExecOptions, "env"> & {
  env?: SandboxOptions["env"] | Record<string, string | undefined> | undefined;
  /** Whether the sandbox may be one that was made ahead, and the next one with these options is. Default true. */
  prewarm?: boolean | undefined;
};

/** How a process ended. */
export interface ProcessExit {
  /** null when a signal ended it. */
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** From its start to its end, as the launcher saw them. */
  durationMs: number;
  timedOut: boolean;
  /** The sandbox was out of memory and the kernel killed one of its processes. */
  oomKilled: boolean;
}

export interface ExecResult<Text extends string | Uint8Array = string> extends ProcessExit {
  stdout: Text;
  stderr: Text;
  /** Output went beyond `maxBuffer`: it is cut there, and everything was ended. */
  truncated?: true;
}
