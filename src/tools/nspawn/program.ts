import { statSync } from "node:fs";
import { basename } from "node:path";
import { readAccounts } from "../../host/accounts.js";
import { readTextInRoot, resolveInRoot } from "../../host/read-in-root.js";
import type { User } from "../../spec/oci.js";
import type { NspawnContext } from "./context.js";
import type { NspawnOptions } from "./options.js";
import type { Tree } from "./root.js";
import { refuseWords } from "./values.js";

/** What is executed, where, and as whom. */
export interface Program {
  args: string[];
  candidates: string[];
  cwd: string;
  user: User;
  account: { name: string; home: string };
  /** What asks an init to power off, where it is not systemd's signal. */
  stopSignal?: string;
}

/** In the order in which systemd-nspawn tries them. */
const INITS = ["/usr/lib/systemd/systemd", "/lib/systemd/systemd", "/sbin/init"];
/** By what an init's file is called: busybox' init powers off at this one, and passes over systemd's. */
const STOP_SIGNALS: Record<string, string> = { busybox: "SIGUSR2" };
const SEARCHED = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** @throws BrigError BRIG_BAD_OPTION: no init, no such user */
export function findProgram(options: NspawnOptions, context: NspawnContext, tree: Tree): Program {
  const { user, account } = findUser(options, context, tree);
  const base = { user, account, cwd: options.chdir ?? "/" };
  if (options.mode === "boot") return { ...base, ...findInit(options, context, tree) };
  const [name] = options.command;
  if (name === undefined) return { ...base, args: ["-bash"], candidates: ["/bin/bash", "/bin/sh"], cwd: options.chdir ?? account.home };
  const path = options.environment.findLast((variable) => variable.name === "PATH")?.value;
  const folders = path?.split(":").filter((folder) => folder.startsWith("/")) ?? SEARCHED;
  return { ...base, args: options.command, candidates: name.includes("/") ? [name] : folders.map((folder) => `${folder}/${name}`) };
}

/** In an image the first that can be executed is it. */
function findInit(options: NspawnOptions, context: NspawnContext, { path: root, image }: Tree): Pick<Program, "args" | "candidates" | "stopSignal"> {
  if (image) return { args: [INITS[0]!, ...options.command], candidates: INITS };
  for (const path of INITS) {
    const place = resolveInRoot(root, path);
    context.consulted.add(`${root}${path}`);
    if (place === undefined || !isExecutable(place)) continue;
    const stopSignal = STOP_SIGNALS[basename(place)];
    return { args: [path, ...options.command], candidates: [path], ...(stopSignal === undefined ? {} : { stopSignal }) };
  }
  throw refuseWords(`${root} has no init to boot: none of ${INITS.join(", ")}`, "without -b the words behind it are the program that runs");
}

function isExecutable(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isFile() === true && (stat.mode & 0o111) !== 0;
}

/** By the root's own files: a name service that only works inside cannot be asked before there is an inside. */
function findUser(options: NspawnOptions, context: NspawnContext, { path: root, image }: Tree): Pick<Program, "user" | "account"> {
  if (options.user === undefined || options.user === "root" || options.user === "0") return { user: { uid: 0, gid: 0, umask: 0o022 }, account: { name: "root", home: "/root" } };
  if (image) throw refuseWords(`Failed to resolve user ${options.user}: the users of an image cannot be read before it is mounted.`, "run su inside: -D … su USER");
  for (const file of ["/etc/passwd", "/etc/group"]) context.consulted.add(`${root}${file}`);
  const accounts = readAccounts((path) => readTextInRoot(root, path));
  const found = /^\d+$/.test(options.user) ? accounts.userById(Number(options.user)) : accounts.userByName(options.user);
  if (found) return { user: { uid: found.uid, gid: found.gid, umask: 0o022, additionalGids: accounts.groupsOf(found.name, found.gid) }, account: { name: found.name, home: found.home || "/" } };
  throw refuseWords(`Failed to resolve user ${options.user}.`, `${root}/etc/passwd lists those that there are`);
}
