import { statSync } from "node:fs";
import { isBeneath } from "../host/mountinfo.js";
import { byDefault, consultEnv, type Draft, originOfOption } from "./draft.js";
import { parseEnvironment } from "./parse/env.js";

/** What a program needs to know of its user and terminal, and nothing that gives access to something. */
const PASSED = [
  "TERM", "COLORTERM", "NO_COLOR", "SHELL", "TZ", "LANG", "LANGUAGE",
  ...["ALL", "ADDRESS", "COLLATE", "CTYPE", "IDENTIFICATION", "MEASUREMENT", "MESSAGES", "MONETARY", "NAME", "NUMERIC", "PAPER", "TELEPHONE", "TIME"].map((part) => `LC_${part}`),
];

/** For a root of its own, and when the caller has no PATH. */
const STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The payload's environment: a short list of the caller's, the sandbox's home and user, and what was asked for. */
export function setEnvironment(draft: Draft): void {
  const { options, context } = draft;
  const env = new Map<string, string>(options.inheritEnv ? listAll(context.env) : listPassed(draft));
  env.set("PATH", choosePath(draft, options.inheritEnv ?? false));
  env.set("HOME", draft.home);
  for (const name of ["USER", "LOGNAME"]) env.set(name, chooseUserName(draft));
  for (const { name, value } of parseEnvironment(options.env ?? [])) {
    const taken = value ?? consultEnv(draft, name);
    if (taken !== undefined) env.set(name, taken);
  }
  draft.process.env = [...env].map(([name, value]) => `${name}=${value}`);
  draft.origins["/process/env"] = options.env || options.inheritEnv ? originOfOption(draft, options.env ? "/env" : "/inheritEnv") : byDefault("a short list");
}

function listAll(env: NodeJS.ProcessEnv): [string, string][] {
  return Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && !entry[0].startsWith("BRIG_"));
}

function listPassed(draft: Draft): [string, string][] {
  const read = PASSED.map((name): [string, string | undefined] => [name, consultEnv(draft, name)]);
  return read.filter((entry): entry is [string, string] => entry[1] !== undefined);
}

function chooseUserName(draft: Draft): string {
  const { host } = draft.context;
  const isCaller = draft.options.user === undefined && !draft.options.root;
  return (isCaller ? (consultEnv(draft, "USER") ?? host.userName) : undefined) ?? (draft.process.user?.uid === 0 ? "root" : "user");
}

/** The caller's PATH without what the payload cannot see. */
function choosePath(draft: Draft, whole: boolean): string {
  const path = consultEnv(draft, "PATH");
  if (draft.options.root !== undefined || !path) return STANDARD_PATH;
  const folders = path.split(":").filter((folder) => folder.startsWith("/") && (whole || isVisibleFolder(draft, folder)));
  return folders.length === 0 ? STANDARD_PATH : [...new Set(folders)].join(":");
}

function isVisibleFolder(draft: Draft, folder: string): boolean {
  const links = draft.extension.files.filter((entry) => entry.type === "symlink").map(({ path }) => path);
  const isShown = [...draft.visible.map(({ destination }) => destination), ...links].some((place) => isBeneath(folder, place));
  return isShown && isFolder(folder);
}

/** A folder that the caller may not reach is none. */
function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
