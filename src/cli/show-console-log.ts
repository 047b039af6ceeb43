import { readLogs, type LogOptions } from "../sandbox/logs.js";
import type { Sandbox } from "../sandbox/sandbox.js";
import { printBytes } from "./output/print.js";

const NEWLINE = Buffer.from("\n");

/** What a machine wrote to its console. @throws BrigError BRIG_NO_LOG where it has one of a person's */
export async function showConsoleLog(sandbox: Sandbox, { follow, tail }: { follow: boolean; tail: number | undefined }): Promise<void> {
  const options: LogOptions = { follow, ...(tail === undefined ? {} : { tail }) };
  for await (const { text, whole } of readLogs(sandbox, options)) printBytes(1, whole ? Buffer.concat([text, NEWLINE]) : text);
}
