import { chmodSync, mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { BrigError } from "../../error/brig-error.js";
import { readHostFacts } from "../../host/facts.js";
import { type EnclosedEnd, runEnclosed } from "../enclosed/run-enclosed.js";
import { makeWhole, syncTree } from "../part-folder.js";
import { ProgressReader, type RootProgress } from "./progress.js";
import type { DebootstrapRequest } from "./request.js";
import { writeToolWords } from "./tool-words.js";

/**
 * Makes a Debian root with debootstrap or mmdebstrap. It appears whole, or not at all: killed at any moment, nothing
 * is mounted or running, and what is left of it is removed by the next one that is made in the same folder.
 *
 * @param signal ends it
 * @throws BrigError BRIG_FOLDER_TAKEN, BRIG_NO_SUCH_PATH, BRIG_CANNOT_MAP_IDS, BRIG_DEBOOTSTRAP_FAILED, BRIG_INTERRUPTED
 */
export async function makeDebianRoot(dir: string, request: DebootstrapRequest, onProgress: (progress: RootProgress) => void, signal?: AbortSignal): Promise<void> {
  await makeWhole(resolve(dir), async (part) => {
    mkdirSync(part, { mode: 0o755 });
    chmodSync(part, 0o755);
    const reader = new ProgressReader(request.tool);
    const { args, env } = writeToolWords(request, part, readHostFacts().capabilities.has("CAP_MKNOD"));
    const end = await runEnclosed({ args, env: [...listEnvironment(), ...env], cwd: "/" }, (line) => {
      const progress = reader.read(line);
      if (progress) onProgress(progress);
    }, signal);
    if (signal?.aborted) throw new BrigError(`making ${dir} was interrupted, and nothing is left of it`, { code: "BRIG_INTERRUPTED", exitCode: 130 });
    if (end.status !== 0) throw explainFailure(dir, request, end);
    syncTree(part);
  });
}

/** What the tools take from the caller: the way out. */
function listEnvironment(): string[] {
  const passed = ["http_proxy", "https_proxy", "no_proxy", "ftp_proxy", "TMPDIR"].flatMap((name) => (process.env[name] ? [`${name}=${process.env[name]}`] : []));
  return ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", ...passed];
}

function explainFailure(dir: string, request: DebootstrapRequest, { status, lastLines }: EnclosedEnd): BrigError {
  const errors = lastLines.filter((line) => /^(?:E:|W: Failure|Err:|dpkg: error)/.test(line));
  const said = (errors.length > 0 ? errors : lastLines).slice(-6).join("\n  ");
  return new BrigError(`${request.tool} could not make ${dir} (it ended with status ${status}):\n  ${said}`, { code: "BRIG_DEBOOTSTRAP_FAILED", hint: chooseHint(said, request) });
}

function chooseHint(said: string, { suite, arch, mirror }: DebootstrapRequest): string {
  if (/expired/i.test(said)) return `the copy of ${suite} at ${mirror} is out of date, or this host's clock is wrong: --mirror names another archive`;
  if (/404|Release|NO_PUBKEY|resolve|connect/i.test(said)) return `does ${mirror} have ${suite} for ${arch}? --suite and --mirror name others`;
  return "nothing is left of it; the same command begins anew";
}
