import { readdirSync } from "node:fs";
import { writeExtension, type Extension, type Voice } from "../../spec/extension.js";
import type { Mount, Spec } from "../../spec/oci.js";
import type { ToolContext } from "../grammar/context.js";
import { startNotes, type Notes } from "../grammar/origins.js";
import { findProgram, CALLERS_ENVIRONMENT } from "../grammar/program.js";
import { ETC_FOLDER, EXIT_FAILURE, EXIT_REFUSED, netnsPath, RUN_FOLDER } from "./names.js";

const base = { terminal: "plain", stateless: true, inPlace: true, cwd: "stay" } as const;

/** A new network namespace, kept alive at /run/netns/NAME, where an empty file waits for it. */
export function buildAddSpec(name: string): Spec {
  const notes = startNotes();
  const words = `netns add ${name}`;
  notes.add("", words, `Failed to create a new network namespace "${name}"`);
  notes.add("/annotations/dev.brig.persist/0", words, `Bind /proc/self/ns/net -> ${netnsPath(name)} failed`);
  return setUpSpec({ linux: { namespaces: [{ type: "network" }] } }, { persist: [{ type: "net", path: netnsPath(name) }] }, notes);
}

/** The network namespace of a process, kept alive at /run/netns/NAME. */
export function buildAttachSpec(name: string, pid: number): Spec {
  const notes = startNotes();
  const path = `/proc/${pid}/ns/net`;
  const bind = `Bind ${path} -> ${netnsPath(name)} failed`;
  notes.add("/mounts/0", `netns attach ${name} ${pid}`, bind);
  return setUpSpec({ mounts: [{ destination: netnsPath(name), type: "bind", source: path, options: ["bind"] }] }, {}, notes);
}

/** Lets go of the mount at /run/netns/NAME. */
export function buildUnmountSpec(name: string): Spec {
  const notes = startNotes();
  notes.add("/annotations/dev.brig.unmount/0", `netns delete ${name}`, `Cannot unmount namespace file "${netnsPath(name)}"`);
  return setUpSpec({}, { unmount: [netnsPath(name)] }, notes);
}

/**
 * /run/netns as a shared mount of its own, as ip makes it: a name that goes in one mount namespace goes in all.
 */
export function buildRunFolderSpec(): Spec {
  const notes = startNotes();
  notes.add("/mounts/0", "netns add", `mount --make-shared ${RUN_FOLDER} failed`);
  return setUpSpec({ mounts: [{ destination: RUN_FOLDER, type: "bind", source: RUN_FOLDER, options: ["rbind", "rshared"] }] }, {}, notes);
}

/** What `ip netns exec` does: the network namespace, /sys as seen from it, and /etc/netns/NAME's files over /etc's. */
export function buildExecSpec(name: string, command: string[], context: ToolContext, host: ExecFacts): Spec {
  const notes = startNotes();
  const words = `netns exec ${name}`;
  const program = findProgram(command, context.env, context.cwd);
  notes.add("/linux/namespaces/0", words, `setting the network namespace "${name}" failed`);
  notes.add("/linux/namespaces", words, "unshare failed");
  notes.add("/linux/rootfsPropagation", words, '"mount --make-rslave /" failed');
  const mounts: Mount[] = [];
  if (host.sys) {
    mounts.push({ destination: "/sys", type: "sysfs", source: name, options: host.sys.readonly ? ["ro"] : [] });
    notes.add("/annotations/dev.brig.unmount/0", words, "umount of /sys failed");
    notes.add("/mounts/0", words, "mount of /sys failed");
  }
  for (const file of host.etcFiles) {
    const [source, destination] = [`${ETC_FOLDER}/${name}/${file}`, `/etc/${file}`];
    notes.add(`/mounts/${mounts.length}`, words, `Bind ${source} -> ${destination} failed`);
    mounts.push({ destination, type: "bind", source, options: ["bind"] });
  }
  const spec: Spec = {
    ociVersion: "1.2.0",
    process: { cwd: context.cwd, args: program.args, env: [] },
    mounts,
    linux: { namespaces: [{ type: "network", path: netnsPath(name) }, { type: "mount" }], rootfsPropagation: "rslave" },
  };
  const extension: Extension = { ...base, environment: CALLERS_ENVIRONMENT, candidates: program.candidates, origins: notes.origins };
  if (host.sys) extension.unmount = ["/sys"];
  extension.voice = speak(notes, EXIT_REFUSED, `exec of "${command[0]}" failed`);
  return writeExtension(spec, extension);
}

/** What the host has that matters to exec. */
export interface ExecFacts {
  /** /sys, where it is a mount. */
  sys?: { readonly: boolean };
  /** Names in /etc/netns/NAME. */
  etcFiles: string[];
}

/** The names in /etc/netns/NAME, in order; none when there is no such folder. */
export function listEtcFiles(name: string): string[] {
  try {
    return readdirSync(`${ETC_FOLDER}/${name}`).sort();
  } catch {
    return [];
  }
}

function setUpSpec(parts: Partial<Spec>, own: Extension, notes: Notes): Spec {
  const extension: Extension = { ...base, noPayload: true, ...own, origins: notes.origins, voice: speak(notes, EXIT_FAILURE, "") };
  return writeExtension({ ociVersion: "1.2.0", linux: { namespaces: [] }, ...parts }, extension);
}

function speak(notes: Notes, exitCode: number, saying: string): Voice {
  return { prefix: "", exitCode, sayings: notes.sayings, exec: { saying, notFound: EXIT_FAILURE, other: EXIT_FAILURE } };
}
