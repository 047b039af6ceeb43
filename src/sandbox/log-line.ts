/** A line of a sandbox's log: `2026-01-02T03:04:05.678901234Z stdout F text` (launcher/log.c, which has it from CRI). */
export interface LogLine {
  /** As it stands, with nanoseconds. */
  time: string;
  stream: "stdout" | "stderr";
  /** False for a piece of a line that was too long for one. */
  whole: boolean;
  text: Buffer;
}

const HEAD = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) (stdout|stderr) ([FP]) $/;
const HEAD_SIZE = 40;

/** Undefined for what is no such line: one that was cut when the disk was full. */
export function parseLogLine(bytes: Buffer): LogLine | undefined {
  const match = HEAD.exec(bytes.subarray(0, HEAD_SIZE).toString("latin1"));
  if (!match) return undefined;
  return { time: match[1]!, stream: match[2] as LogLine["stream"], whole: match[3] === "F", text: bytes.subarray(HEAD_SIZE) };
}

/** Takes whole lines out of bytes that come in pieces. */
export class LineSplitter {
  #rest: Buffer = Buffer.alloc(0);

  push(bytes: Buffer): Buffer[] {
    const all = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const lines: Buffer[] = [];
    let from = 0;
    for (let end = all.indexOf(10); end >= 0; end = all.indexOf(10, from)) {
      lines.push(all.subarray(from, end));
      from = end + 1;
    }
    this.#rest = Buffer.from(all.subarray(from));
    return lines;
  }
}
