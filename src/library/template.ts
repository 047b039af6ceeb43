import { lstatSync, type Stats } from "node:fs";
import { homedir } from "node:os";
import { resolve } from "node:path";
import { BrigError } from "../error/brig-error.js";
import type { HostFacts } from "../host/facts.js";
import { findRunFolder } from "../launch/run-folder.js";
import { compilePlan } from "../plan/compile.js";
import { encodePlan } from "../plan/encode.js";
import { dropNote } from "../plan/patch.js";
import type { Plan } from "../plan/plan.js";
import { buildSpec } from "../policy/build-spec.js";
import type { Consulted } from "../policy/context.js";
import type { SandboxOptions as PolicyOptions } from "../policy/options.js";
import { readExtension, writeExtension } from "../spec/extension.js";
import type { Spec } from "../spec/oci.js";

/** A compiled sandbox whose payload is still to be put in. */
export interface Template {
  host: HostFacts;
  /** With a payload that stands for any. */
  spec: Spec;
  /** Of that spec. */
  plan: Plan;
  /** `plan` encoded, to be patched. */
  bytes: Uint8Array;
  /** The same sandbox without a payload, which stays until it is ended. */
  idle?: { plan: Plan; bytes: Uint8Array };
}

interface Kept extends Template {
  env: [name: string, value: string | undefined][];
  files: [path: string, look: Stats | undefined][];
}

const MOST = 64;
const ANY_PROGRAM = "/";
const NO_ENTRY_IS_NO_ERROR = { throwIfNoEntry: false } as const;

/** Compiled sandboxes by what was asked for, each as long as nothing that it was made from changes. */
export class Templates {
  readonly #kept = new Map<string, Kept>();

  constructor(private readonly host: HostFacts) {}

  /** @param way "run": a payload of its own; "box": it stays, and others join it */
  async take(options: PolicyOptions, way: "run" | "box"): Promise<Template> {
    const cwd = readWorkingFolder();
    const key = JSON.stringify([way, process.geteuid?.(), cwd, options]);
    const known = this.#kept.get(key);
    if (known && isFresh(known)) return known;
    this.#kept.delete(key);
    const { validateOptions } = await import("../policy/validate-options.js");
    const made = makeTemplate(this.host, validateOptions(options), way, cwd);
    this.#kept.set(key, made);
    if (this.#kept.size > MOST) this.#kept.delete(this.#kept.keys().next().value as string);
    return made;
  }
}

function readWorkingFolder(): string {
  try {
    return process.cwd();
  } catch (cause) {
    throw new BrigError("the working folder does not exist any more", { code: "BRIG_NO_WORKING_FOLDER", hint: "process.chdir to another one", cause });
  }
}

function makeTemplate(host: HostFacts, options: PolicyOptions, way: "run" | "box", cwd: string): Kept {
  const consulted: Consulted = { files: new Set(), env: new Set() };
  const home = process.env["HOME"]?.startsWith("/") ? resolve(process.env["HOME"]) : homedir();
  const spec = buildSpec({ ...options, tty: "never" }, [ANY_PROGRAM], { cwd, env: process.env, home, host, consulted });
  const { display, network } = readExtension(spec);
  // what stands beside a sandbox has its files in the state folder
  const visible = way === "box" || options.name !== undefined || display !== undefined || (network?.mode === "user" && !network.filter);
  const compileOptions = visible ? { runFolder: findRunFolder(host.euid), detachKeys: "" } : { detachKeys: "" };
  const plan = compilePlan(spec, host, compileOptions);
  const made: Kept = {
    host, spec, plan, bytes: dropNote(encodePlan(plan)),
    env: [...consulted.env].map((name) => [name, process.env[name]]),
    files: [...consulted.files].map((path) => [path, lookAt(path)]),
  };
  if (way === "box") made.idle = makeIdle(spec, host, compileOptions);
  return made;
}

function makeIdle(spec: Spec, host: HostFacts, options: { runFolder?: string }): { plan: Plan; bytes: Uint8Array } {
  const { args: _, ...process_ } = spec.process ?? { cwd: "/" };
  const { candidates: __, ...extension } = readExtension(spec);
  const plan = compilePlan(writeExtension({ ...spec, process: process_ }, extension), host, options);
  return { plan, bytes: dropNote(encodePlan(plan)) };
}

function isFresh({ env, files }: Kept): boolean {
  return env.every(([name, value]) => process.env[name] === value) && files.every(([path, look]) => looksLike(lookAt(path), look));
}

function lookAt(path: string): Stats | undefined {
  return lstatSync(path, NO_ENTRY_IS_NO_ERROR);
}

/** As a text each look would take as long again. */
function looksLike(now: Stats | undefined, then: Stats | undefined): boolean {
  if (!now || !then) return now === then;
  return now.ino === then.ino && now.ctimeMs === then.ctimeMs && now.mtimeMs === then.mtimeMs && now.size === then.size && now.mode === then.mode && now.dev === then.dev;
}
