import { posix } from "node:path";

/** The first line of a script, as the kernel reads it (fs/binfmt_script.c). */
export interface ScriptLine {
  interpreter: string;
  argument: string | undefined;
}

const LINE = 256; // BINPRM_BUF_SIZE since Linux 5.1

/** The interpreter that `head`, a file's first 256 bytes or more, names; undefined when it is no script. */
export function parseScriptLine(head: Buffer): ScriptLine | undefined {
  if (head.length < 3 || head.toString("latin1", 0, 2) !== "#!") return undefined;
  const text = head.toString("utf8", 2, LINE);
  const end = text.search(/[\n\0]/);
  const line = (end < 0 ? text : text.slice(0, end)).replace(/^[ \t]+|[ \t]+$/g, "");
  const [, interpreter, argument] = /^([^ \t]+)[ \t]*(.*)$/.exec(line) ?? [];
  return interpreter ? { interpreter, argument: argument || undefined } : undefined;
}

/** The program that `#!/usr/bin/env ARGUMENT` starts: env(1) gets one argument, and splits it only after -S. */
export function findEnvProgram(line: ScriptLine): string | undefined {
  if (posix.basename(line.interpreter) !== "env" || line.argument === undefined) return undefined;
  const split = /^(?:-[iv0]*S|--split-string[= ])\s*(.*)$/s.exec(line.argument);
  if (!split) return /^-|=/.test(line.argument) ? undefined : line.argument;
  const words = split[1]!.match(/"[^"]*"|'[^']*'|\S+/g) ?? [];
  const word = words.find((text) => !/^-|^[^/=]+=/.test(text));
  return word?.replace(/^(["'])(.*)\1$/s, "$2");
}
