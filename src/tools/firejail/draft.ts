import type { HostFacts } from "../../host/facts.js";
import type { Extension, Origin, RootEntry } from "../../spec/extension.js";
import type { Linux, Process } from "../../spec/oci.js";
import type { FirejailConfig } from "./config.js";
import type { BusProxy } from "./desktop.js";
import type { Folders } from "./glob.js";
import type { Places } from "./macros.js";
import type { Rule } from "./rule.js";
import type { View } from "./view.js";

/** Who starts the sandbox, from where, on which host. */
export interface JailContext {
  cwd: string;
  env: NodeJS.ProcessEnv;
  places: Places;
  config: FirejailConfig;
  host: HostFacts;
  folders: Folders;
  /** An absolute path of the caller's own folder where files for the sandbox may be put, and which is never shown inside. */
  stage: string;
  /** Folders of brig's own that no payload may see: sockets and plans in them would be ways out. */
  own: readonly string[];
  /** The AppImage that is run, and where its files are. */
  image?: { image: string; folder: string } | undefined;
  /** brig's own executable, without links. */
  launcher?: string | undefined;
}

/** A spec in the making. */
export interface Draft {
  readonly rules: readonly Rule[];
  readonly context: JailContext;
  view: View;
  /** Paths that are hidden, whether they exist or not. */
  masked: Map<string, Origin>;
  process: Process;
  linux: Linux;
  extension: Extension & { files: RootEntry[] };
  hostname?: string;
  origins: Record<string, Origin>;
  /** What a person should hear: each is printed as a warning, unless --quiet. */
  warnings: string[];
  /** Files of the host that have to be there when the sandbox starts. */
  staged: { path: string; content: string }[];
  /** What has to run beside the sandbox. */
  proxies: BusProxy[];
}

export function hide(draft: Draft, path: string, origin: Origin): void {
  if (!draft.masked.has(path)) draft.masked.set(path, origin);
}

/** A setting that Firejail makes unasked. */
export function byFirejail(text: string): Origin {
  return { kind: "tool", text: `firejail: ${text}` };
}

export function isRoot({ context }: Draft): boolean {
  return context.host.euid === 0;
}
