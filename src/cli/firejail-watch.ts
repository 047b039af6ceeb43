import { closeSync, openSync, writeSync } from "node:fs";
import { basename } from "node:path";
import { BrigError } from "../error/brig-error.js";
import { listAccesses } from "../denials/accesses.js";
import { readInternetAddress } from "../denials/address.js";
import type { Denial } from "../denials/denial.js";
import { describeInside } from "../denials/inside.js";
import { DenialLedger } from "../denials/ledger.js";
import { renderDenial, renderSummary, showText } from "../denials/render.js";
import type { HostFacts } from "../host/facts.js";
import type { LauncherStreams } from "../launch/run-plan.js";
import { runWatchedPlan } from "../launch/run-watched.js";
import type { WatchEvent } from "../plan/watch/events.js";
import type { Spec } from "../spec/oci.js";
import { speakFirejail } from "../tools/firejail/allow-words.js";
import { buildProfile, type Used } from "../tools/firejail/built-profile.js";
import { renderTrace } from "../tools/firejail/trace.js";
import { printError } from "./output/print.js";

/** What is told of a watched jail. */
export interface Watching {
  what: "trace" | "build" | "tracelog";
  /** Where to; "" is standard error. */
  file: string;
  home: string;
}

interface Watcher {
  add(event: WatchEvent): void;
  finish(): void;
}

/** Runs a compiled plan whose spec has a watch, and tells what was asked for. */
export async function runWatchedJail(bytes: Uint8Array, spec: Spec, host: HostFacts, watching: Watching, streams: LauncherStreams): Promise<number> {
  const watcher = makeWatcher(spec, host, watching);
  const status = await runWatchedPlan(bytes, (event) => watcher.add(event), streams);
  watcher.finish();
  return status;
}

function makeWatcher(spec: Spec, host: HostFacts, watching: Watching): Watcher {
  if (watching.what === "tracelog") return watchDenials(spec, host, watching);
  return watching.what === "trace" ? watchCalls(watching) : watchUses(spec, watching);
}

function watchCalls({ file }: Watching): Watcher {
  const descriptor = file === "" ? undefined : openFile(file);
  const say = (line: string): unknown => (descriptor === undefined ? printError(line) : writeSync(descriptor, `${line}\n`));
  return {
    add: (event) => renderTrace(event, event.inner, showText).forEach(say),
    finish: () => descriptor !== undefined && closeSync(descriptor),
  };
}

/** As they happen, and in the end with the options that would let them through. */
function watchDenials(spec: Spec, host: HostFacts, { home }: Watching): Watcher {
  const inside = describeInside(spec, { home, cwd: process.cwd(), euid: host.euid, landlockAbi: host.landlockAbi });
  const speak = (denial: Denial): Denial => speakFirejail(denial, home, spec.linux?.maskedPaths ?? []);
  const ledger = new DenialLedger(inside, (denial) => printError(renderDenial(speak(denial))));
  return {
    add: (event) => ledger.add(event),
    finish: () => ledger.hasBegun && printError(renderSummary(ledger.list().map(speak), ledger.lost)),
  };
}

const FAMILIES: Record<number, string> = { 1: "unix", 2: "inet", 10: "inet6", 16: "netlink", 17: "packet", 31: "bluetooth" };

function watchUses(spec: Spec, { file, home }: Watching): Watcher {
  const used = { paths: new Set<string>(), written: new Set<string>(), executed: new Set<string>(), protocols: new Set<string>() };
  const [program = "program"] = spec.process?.args ?? [];
  return {
    add: (event) => addUse(used, event),
    finish: () => writeProfile(file, buildProfile(basename(program), used, home)),
  };
}

function addUse(used: { [Key in keyof Used]: Set<string> }, event: WatchEvent): void {
  if (event.call === "socket") used.protocols.add(FAMILIES[Number(event.args[0])] ?? "unix");
  const address = event.call === "connect" ? readInternetAddress(event.addresses.get(1)) : undefined;
  if (address) used.protocols.add(address.host.includes(":") ? "inet6" : "inet");
  for (const { look, want, creates } of listAccesses(event)) {
    const makes = creates || want === "create" || want === "replace";
    if (look.error !== 0 && !makes) continue;
    used.paths.add(look.asked);
    if (look.error === 0 && look.found) used.paths.add(look.found);
    if (look.error !== 0) used.written.add(look.asked);
    if (want === "execute" && event.call.startsWith("execve")) for (const path of [look.asked, look.found]) if (path) used.executed.add(path);
  }
}

function writeProfile(file: string, text: string): void {
  if (file === "") return void process.stdout.write(text);
  const descriptor = openFile(file);
  writeSync(descriptor, text);
  closeSync(descriptor);
}

function openFile(file: string): number {
  try {
    return openSync(file, "w", 0o600);
  } catch (error) {
    throw new BrigError(`cannot write ${file}: ${(error as Error).message}`, { code: "BRIG_CANNOT_WRITE", exitCode: 1, hint: "name a file in a folder that you may write to", cause: error });
  }
}
