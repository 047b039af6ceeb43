/** brig as a library: `import { Sandbox, run } from "brig"`. See docs/library.md. */
export { BrigError, type BrigErrorOptions } from "./error/brig-error.js";
export { Brig } from "./library/brig.js";
export { AbortError, ExecError } from "./library/errors.js";
export type { CopyOptions } from "./library/files/copy.js";
export type { Entry, EntryKind } from "./library/files/entries.js";
export type { SandboxFile } from "./library/files/file-handle.js";
export type { FileStat } from "./library/files/file-stat.js";
export { FileSystemError } from "./library/files/file-system-error.js";
export type { FileOptions, OpenFlag, ReadFileOptions, SandboxFiles, WriteFileOptions } from "./library/files/sandbox-files.js";
export { type ImageInfo, type ImageProgress, Images } from "./library/images.js";
export type { ExecOptions, ExecResult, Input, ProcessExit, ProcessOptions, RunOptions, SandboxOptions, SpawnOptions } from "./library/options.js";
export { run } from "./library/run.js";
export { Sandbox, type SandboxInfo, type Shell } from "./library/sandbox.js";
export type { Word } from "./library/sh.js";
export type { OutputChunk, SandboxProcess, WebStreams } from "./library/spawn.js";
