import { BrigError } from "../../error/brig-error.js";
import { addPaths } from "./add-paths.js";
import { addCerts } from "./certs.js";
import { addFolder, addTrace, type Draft, finishDraft, openDraft } from "./draft.js";
import { defaultPath } from "./find-program.js";
import { reading } from "./explain-read.js";
import { addLocale } from "./locale.js";
import { addNames } from "./names.js";
import type { JailOptions, JailPlan } from "./plan.js";
import { showText } from "./show-text.js";
import { addTerminfo } from "./terminfo.js";
import { callGroups, type MissingNeed, openSight, type Trace, traceProgram } from "./trace-program.js";
import { addUsers } from "./users.js";

/**
 * Plans a root with just these programs and what they need to start. Reads files and runs nothing: neither ldd nor
 * the programs, so they need not be trusted.
 *
 * @param programs names looked up in `options.path`, or paths
 * @throws BrigError BRIG_JAIL_INCOMPLETE when something that a program needs is not here, BRIG_BAD_ELF,
 *   BRIG_JAIL_CONFLICT, BRIG_JAIL_UNREADABLE, BRIG_JAIL_NOT_HERE
 */
export function planJail(programs: string[], options: JailOptions = {}): JailPlan {
  return reading(() => plan(programs, options));
}

function plan(programs: string[], options: JailOptions): JailPlan {
  const folder = options.from ?? "/";
  const searchPath = options.path ?? (options.from === undefined ? (process.env.PATH ?? defaultPath) : defaultPath);
  const draft = openDraft(openSight(folder, searchPath), options);
  const cwd = options.from === undefined ? process.cwd() : "/";
  const traces = programs.map((program) => traceProgram(draft.sight, program, cwd));
  refuseMissing(traces.flatMap(({ missing }) => missing));
  for (const trace of traces) addTrace(draft, trace);
  const modules = addPaths(draft, options.add ?? [], cwd);
  addExtras(draft, [...traces, ...modules]);
  addMergedLinks(draft);
  for (const path of ["/dev", "/proc", "/sys", "/tmp"]) {
    if (!draft.entries.has(path)) addFolder(draft, path, "a place to mount on");
  }
  for (const note of suggest(draft, traces)) draft.notes.add(note);
  return finishDraft(draft);
}

function refuseMissing(missing: MissingNeed[]): void {
  if (missing.length === 0) return;
  const lines = missing.map(({ what, name, neededBy, hint }) => showText(`${what} ${JSON.stringify(name)} (${neededBy}): ${hint}`));
  throw new BrigError(`not all that the programs need is here:\n  ${lines.join("\n  ")}`, {
    code: "BRIG_JAIL_INCOMPLETE",
    hint: "install what is missing, or leave that program out",
  });
}

function addExtras(draft: Draft, traces: Trace[]): void {
  const { names, certs, locale, terminfo, users } = draft.options;
  if (names) addNames(draft, traces);
  if (certs) addCerts(draft);
  if (locale !== undefined) addLocale(draft, locale);
  if (terminfo) addTerminfo(draft);
  if (users) addUsers(draft);
}

/** Where /bin is a link to usr/bin people type /bin/bash all the same: the link comes along with what it leads to. */
function addMergedLinks(draft: Draft): void {
  for (const path of ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/usr/sbin", "/var/run"]) {
    const file = draft.sight.root.resolve(path);
    if (file?.links[0]?.path !== path || !file.stat.isDirectory()) continue;
    const used = [...draft.entries.keys()].some((entry) => entry.startsWith(`${file.real}/`));
    if (used && !draft.entries.has(path)) {
      draft.entries.set(path, { type: "link", path, target: file.links[0].target, reason: `another name of ${file.real}` });
    }
  }
}

/** What the programs would also use, and the word that adds it. */
function suggest(draft: Draft, traces: Trace[]): string[] {
  const binaries = traces.flatMap((trace) => trace.binaries);
  const callers = (calls: string[]) => [...new Set(binaries.filter((b) => calls.some((call) => b.calls.has(call))).map(({ path }) => path))];
  const [users, hosts] = [callers(callGroups.users), callers(callGroups.hosts)];
  const tls = binaries.filter(({ report }) => report.libraries.some(({ name }) => /^lib(?:ssl|gnutls|nss3)\./.test(name)));
  const { names, certs, add } = draft.options;
  const notes: string[] = [];
  if (users.length > 0 && !draft.options.users && !names) notes.push(`${users.join(", ")} may look up user names: --users adds passwd and group`);
  if (hosts.length > 0 && !names) notes.push(`${hosts.join(", ")} may look up host names: --names adds what that takes`);
  if (tls.length > 0 && !certs) notes.push(`${[...new Set(tls.map(({ path }) => path))].join(", ")} can speak TLS: --certs adds the trusted authorities`);
  for (const { report, path } of binaries) {
    const folder = findLanguageFolder(draft, [path, report.libraries.map(({ name }) => name).join(" ")]);
    if (folder && !(add ?? []).some(({ source }) => folder.startsWith(source))) notes.push(`${path} reads its standard library from ${folder}: --add ${folder}`);
  }
  return notes;
}

function findLanguageFolder(draft: Draft, [path, libraries]: string[]): string | undefined {
  const real = draft.sight.root.resolve(path!)?.real ?? "";
  const python = /\/bin\/(python\d\.\d+)$/.exec(real)?.[1] ?? /\blib(python\d\.\d+)\.so/.exec(libraries!)?.[1];
  const folder = python && `${real.replace(/\/bin\/[^/]*$/, "")}/lib/${python}`;
  return folder && draft.sight.root.resolve(folder)?.stat.isDirectory() ? folder : undefined;
}
