import { spawnSync } from "node:child_process";
import { lstatSync, renameSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { readHostFacts } from "../../host/facts.js";
import { handOverPlan } from "../../launch/hand-over.js";
import { runPlan } from "../../launch/run-plan.js";
import { Sandbox } from "../../library/sandbox.js";
import { bindInto } from "../../machine/bind-into.js";
import { planLogin, planShell } from "../../machine/enter.js";
import { findMachine } from "../../machine/find.js";
import { encodePlan } from "../../plan/encode.js";
import type { Plan } from "../../plan/plan.js";
import { machinectlError } from "../../tools/machinectl/errors.js";
import type { MachinectlOptions } from "../../tools/machinectl/options.js";
import { printError } from "../output/print.js";
import { blame } from "./blame.js";
import { HOST } from "./describe-machine.js";
import type { AskedVerb } from "./words.js";

export async function runEnterVerb({ verb, operands, options }: AskedVerb): Promise<number> {
  const [name = HOST, ...rest] = operands;
  switch (verb) {
    case "login": return await logIn(name, options);
    case "shell": return await enterShell(name, rest, options);
    case "copy-to": await copy(name, rest, "to", options); return 0;
    case "copy-from": await copy(name, rest, "from", options); return 0;
    case "bind": return await bind(name, rest, options);
    default: throw new Error(verb);
  }
}

/** A prompt for name and password, in a machine or on this host. */
export async function logIn(name: string, options: Pick<MachinectlOptions, "quiet">): Promise<number> {
  if (name === HOST) return runHere("login", []);
  return await enter(name, "Failed to get login PTY", () => planLogin(findMachine(name), readHostFacts()), options);
}

/** "USER@NAME", and a command or none: then the user's own shell. */
export async function enterShell(typed: string, command: string[], options: Pick<MachinectlOptions, "quiet" | "uid" | "environment">): Promise<number> {
  const at = typed.indexOf("@");
  const name = (at < 0 ? typed : typed.slice(at + 1)) || HOST;
  const user = (at > 0 ? typed.slice(0, at) : undefined) ?? options.uid ?? "root";
  if (name === HOST) return runHere("su", ["-l", user, ...(command.length > 0 ? ["-c", 'exec "$@"', "-s", "/bin/sh", "--", "sh", ...command] : [])]);
  const [program] = command;
  if (program !== undefined && !program.startsWith("/")) throw machinectlError(`Failed to get shell PTY: Specified path '${program}' is not absolute`, "BRIG_BAD_VALUE", `brig machinectl shell ${typed} /bin/${program}`);
  const env = options.environment.flatMap((each) => (each.includes("=") ? [each] : process.env[each] === undefined ? [] : [`${each}=${process.env[each]}`]));
  return await enter(name, "Failed to get shell PTY", () => planShell(findMachine(name), { user, command, env }, readHostFacts()), { quiet: options.quiet || command.length > 0 });
}

async function enter(name: string, complaint: string, plan: () => Plan, { quiet }: { quiet: boolean }): Promise<number> {
  const made = await blame(complaint, plan);
  const tells = !quiet && process.stdout.isTTY && process.stdin.isTTY;
  if (!tells) return await handOverPlan(encodePlan(made));
  printError(`Connected to machine ${name}.`);
  const status = await runPlan(encodePlan(made));
  printError(`Connection to machine ${name} terminated.`);
  return status;
}

/** On this host there is nothing to enter. */
function runHere(program: string, words: string[]): number {
  const { status, error } = spawnSync(program, words, { stdio: "inherit" });
  if (error) throw machinectlError(`${program} cannot be run: ${error.message}`, "BRIG_NO_TOOL");
  return status ?? 1;
}

/** What is copied out is not trusted: no link leads out of the copy. */
async function copy(name: string, [from = "", to = from]: string[], way: "to" | "from", { force }: MachinectlOptions): Promise<void> {
  await blame("Failed to copy", async () => {
    if (name === HOST) throw machinectlError("Copying files is only supported on container machines.", "BRIG_NOT_SUPPORTED");
    const { sandbox } = findMachine(name);
    const inside = way === "to" ? to : from;
    if (!inside.startsWith("/")) throw machinectlError(`${way === "to" ? "Destination" : "Source"} must be absolute`, "BRIG_BAD_VALUE", "it is a path in the machine");
    await using box = await Sandbox.get(sandbox.id);
    if (way === "to") await copyTo(box, resolve(from), to, force);
    else await copyFrom(box, from, resolve(to), force);
  });
}

/** With --force files are replaced, and folders get what they have not. */
async function copyTo(box: Sandbox, from: string, to: string, force: boolean): Promise<void> {
  if (!force && (await box.fs.exists(to))) throw fileExists();
  await box.fs.copyIn(from, to);
}

/** With --force a file is replaced; a folder of the host's is not mixed with what a machine brings. */
async function copyFrom(box: Sandbox, from: string, to: string, force: boolean): Promise<void> {
  const there = lstatSync(to, { throwIfNoEntry: false });
  if (there && (!force || there.isDirectory())) throw fileExists();
  const place = there ? join(dirname(to), `.${basename(to)}.brig-${process.pid}`) : to;
  await box.fs.copyOut(from, place, { links: "keep" });
  if (there) renameSync(place, to);
}

function fileExists(): Error {
  return machinectlError("File exists", "BRIG_EXISTS", "--force replaces a file; a folder is to be removed first");
}

async function bind(name: string, [from = "", to = from]: string[], { readonly, mkdir }: MachinectlOptions): Promise<number> {
  await blame("Failed to bind mount", async () => {
    if (name === HOST) throw machinectlError("Bind mounting is only supported on container machines.", "BRIG_NOT_SUPPORTED");
    if (!to.startsWith("/")) throw machinectlError("Destination path must be absolute", "BRIG_BAD_VALUE", "it is a path in the machine");
    await bindInto(findMachine(name), { source: resolve(from), target: to, readonly, make: mkdir }, readHostFacts());
  });
  return 0;
}
