import { statSync } from "node:fs";
import { BrigError } from "../error/brig-error.js";
import { describeOrigin } from "../spec/origin.js";
import type { Origin } from "../spec/extension.js";
import { addFile, addMount, byDefault, type Draft, originOfOption } from "./draft.js";
import { resolveHostPath, resolveReal } from "./host-path.js";

/** No one's data comes out of these, and nothing of the host changes through them. */
const HARMLESS = ["null", "zero", "full", "random", "urandom", "tty"];

const LINKS = { fd: "/proc/self/fd", stdin: "/proc/self/fd/0", stdout: "/proc/self/fd/1", stderr: "/proc/self/fd/2", ptmx: "pts/ptmx" };

/** /dev: the harmless nodes bound from the host (only root could make nodes), its own terminals and shared memory. */
export function addDevices(draft: Draft): void {
  const origin = byDefault("the harmless devices");
  for (const name of HARMLESS) bindDevice(draft, `/dev/${name}`, `/dev/${name}`, origin);
  for (const [index, path] of (draft.options.devices ?? []).entries()) addDevice(draft, path, `/devices/${index}`);
  for (const [name, target] of Object.entries(LINKS)) addFile(draft, { type: "symlink", path: `/dev/${name}`, target });
  addFile(draft, { type: "dir", path: "/dev/shm", mode: 0o1777 });
  addMount(draft, { destination: "/dev/pts", type: "devpts", source: "devpts", options: listPtsOptions(draft) }, origin);
  draft.writable.push("/dev");
}

/** gid 5 is `tty` on every Linux, but a single mapped id leaves no group that the kernel would take. */
function listPtsOptions(draft: Draft): string[] {
  const options = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"];
  return draft.mapped || draft.hostRoot ? [...options, "gid=5"] : options;
}

function bindDevice(draft: Draft, source: string, destination: string, origin: Origin): void {
  addMount(draft, { destination, type: "bind", source, options: ["bind", "nosuid", "noexec"] }, origin);
}

function addDevice(draft: Draft, path: string, pointer: string): void {
  const origin = originOfOption(draft, pointer);
  const destination = resolveHostPath(draft, path, "devices");
  const source = resolveReal(draft, destination, pointer);
  const entry = statSync(source);
  if (!entry.isCharacterDevice() && !entry.isBlockDevice() && !entry.isDirectory()) {
    const hint = "a file or folder is shown with --read or --write";
    throw new BrigError(`${JSON.stringify(path)} is no device`, { code: "BRIG_BAD_VALUE", origin: describeOrigin(origin), hint });
  }
  const options = [entry.isDirectory() ? "rbind" : "bind", "nosuid", "noexec"];
  addMount(draft, { destination, type: "bind", source, options }, origin);
}
