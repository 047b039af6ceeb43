import type { ParsedOption } from "../grammar/getopt.js";
import { machinectlError } from "./errors.js";
import { parseSignalWord } from "./signals.js";

/** Output modes of journalctl(1), which `status` hands on. */
export const OUTPUT_MODES = [
  "short", "short-full", "short-iso", "short-iso-precise", "short-precise", "short-monotonic", "short-delta", "short-unix",
  "verbose", "export", "json", "json-pretty", "json-sse", "json-seq", "cat", "with-unit",
] as const;

export const VERIFY_MODES = ["no", "checksum", "signature"] as const;
const FORMATS = ["uncompressed", "xz", "gzip", "bzip2"] as const;

export type OutputMode = (typeof OUTPUT_MODES)[number];
export type VerifyMode = (typeof VERIFY_MODES)[number];
export type Compression = (typeof FORMATS)[number];

/** Options of `machinectl`, of whatever verb. */
export interface MachinectlOptions {
  /** Only these properties; empty: all. */
  properties: string[];
  value: boolean;
  all: boolean;
  full: boolean;
  quiet: boolean;
  legend: boolean;
  killWhom: string | undefined;
  signal: number | undefined;
  uid: string | undefined;
  /** "NAME=VALUE" or "NAME". */
  environment: string[];
  readonly: boolean;
  mkdir: boolean;
  lines: number;
  output: OutputMode;
  verify: VerifyMode;
  format: Compression | undefined;
  force: boolean;
  /** How many addresses `list` shows of each machine. */
  maxAddresses: number;
  /** `start` what was enabled. */
  enabled: boolean;
}

export type OptionKey =
  | "help" | "version" | "property" | "value" | "all" | "full" | "quiet" | "no-legend" | "nothing" | "kill-whom" | "signal" | "host" | "machine"
  | "uid" | "setenv" | "read-only" | "mkdir" | "lines" | "output" | "verify" | "format" | "force" | "max-addresses" | "enabled";

export function makeDefaults(): MachinectlOptions {
  return {
    properties: [], value: false, all: false, full: false, quiet: false, legend: true, killWhom: undefined, signal: undefined, uid: undefined,
    environment: [], readonly: false, mkdir: false, lines: 10, output: "short", verify: "signature", format: undefined, force: false,
    maxAddresses: 1, enabled: false,
  };
}

/** @throws BrigError in machinectl's words */
export function takeOption(options: MachinectlOptions, { key, value = "" }: ParsedOption<OptionKey>): void {
  switch (key) {
    // a property that is asked for is shown though it be empty
    case "property": options.properties.push(value); options.all = true; return;
    case "value": options.value = true; return;
    case "all": options.all = true; return;
    case "full": options.full = true; return;
    case "quiet": options.quiet = true; return;
    case "no-legend": options.legend = false; return;
    case "kill-whom": options.killWhom = value; return;
    case "signal": options.signal = parseSignalWord(value); return;
    case "uid": options.uid = value; return;
    case "setenv": options.environment.push(checkVariable(value)); return;
    case "read-only": options.readonly = true; return;
    case "mkdir": options.mkdir = true; return;
    case "lines": options.lines = parseLines(value); return;
    case "output": options.output = choose(OUTPUT_MODES, value, `Unknown output '${value}'.`); return;
    case "verify": options.verify = choose(VERIFY_MODES, value, `Failed to parse --verify= setting: ${value}`); return;
    case "format": options.format = choose(FORMATS, value, `Unknown format: ${value}`); return;
    case "force": options.force = true; return;
    case "max-addresses": options.maxAddresses = parseAddresses(value); return;
    case "enabled": options.enabled = true; return;
    case "host": throw machinectlError(`cannot ask ${value}: brig reaches this host only`, "BRIG_NOT_SUPPORTED", `ssh ${value} brig machinectl …`);
    case "machine": throw machinectlError(`cannot ask machine ${value} for its machines`, "BRIG_NOT_SUPPORTED", `brig machinectl shell ${value} /bin/machinectl`);
    case "help": case "version": case "nothing": return;
  }
}

function choose<Word extends string>(known: readonly Word[], typed: string, complaint: string): Word {
  const found = known.find((word) => word === typed);
  if (found === undefined) throw machinectlError(complaint, "BRIG_BAD_VALUE", known.join(", "));
  return found;
}

function parseLines(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw machinectlError(`Failed to parse lines '${text}'`, "BRIG_BAD_VALUE");
  return Number(text);
}

function parseAddresses(text: string): number {
  if (text === "all") return Infinity;
  if (!/^\d{1,9}$/.test(text)) throw machinectlError(`Invalid number of addresses: ${text}`, "BRIG_BAD_VALUE");
  return Number(text);
}

function checkVariable(text: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*(=|$)/.test(text)) throw machinectlError(`Cannot assign environment variable ${text}: Invalid argument`, "BRIG_BAD_VALUE");
  return text;
}
