import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { BrigError } from "../error/brig-error.js";
import type { HostFacts } from "../host/facts.js";
import { buildSpec } from "../policy/build-spec.js";
import type { Consulted } from "../policy/context.js";
import type { SandboxOptions } from "../policy/options.js";
import { nameScratch } from "../rootfs/overlay/name-scratch.js";
import { readExtension, writeExtension } from "../spec/extension.js";
import type { Spec } from "../spec/oci.js";
import type { OptionForm, ParsedWords } from "./grammar.js";
import { readRunOptions, runOptions } from "./run-options.js";

/** The options of every command that takes a sandbox's description and a command line: run, plan, spec, explain. */
export const sandboxOptions: OptionForm[] = [
  ...runOptions,
  { name: "profile", value: "FILE", group: "From a file", complete: "path", help: "take options from a TOML or JSON file; flags come on top" },
  { name: "spec", value: "PATH", group: "From a file", complete: "path", help: "an OCI config.json, or the bundle folder that holds one" },
];

/** A sandbox as flags, profile or config.json describe it. */
export interface AskedSandbox {
  spec: Spec;
  options: SandboxOptions;
  /** What the spec depends on. */
  consulted: Consulted;
}

/** @throws BrigError of the policy, the profile, the spec; BRIG_BAD_USAGE without a command */
export async function readAskedSandbox(words: ParsedWords, host: HostFacts): Promise<AskedSandbox> {
  const consulted: Consulted = { files: new Set(), env: new Set() };
  const file = words.value("spec");
  if (file !== undefined) return { spec: await readConfig(words, file, consulted), options: {}, consulted };
  const profile = await readProfile(words, consulted);
  const { options, origins } = readRunOptions(words, profile);
  const command = words.operands.length > 0 ? words.operands : (profile?.command ?? []);
  const cwd = readWorkingFolder();
  const spec = buildSpec(options, command, { cwd, env: process.env, home: findHome(), host, origins, consulted, scratch: nameScratch() });
  return { spec, options, consulted };
}

function readWorkingFolder(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw new BrigError("the working folder does not exist any more", { code: "BRIG_NO_WORKING_FOLDER", hint: "cd to another one", cause: error });
  }
}

function findHome(): string {
  const { HOME: home } = process.env;
  return home?.startsWith("/") ? resolve(home) : homedir();
}

/** Validators take longer to load than everything else: they stay out of the way of a run that needs none. */
async function readProfile(words: ParsedWords, consulted: Consulted) {
  const file = words.value("profile");
  if (file === undefined) return undefined;
  const { loadProfile } = await import("../policy/profile.js");
  const { options, origins, files, command } = loadProfile(file);
  for (const each of files) consulted.files.add(each);
  return { options, origins: pointAtOptions(origins), command };
}

/** "read[1]" and "env.NAME" to the JSON pointers "/read/1" and "/env/NAME". */
function pointAtOptions(places: ReadonlyMap<string, { file: string; line?: number | undefined }>) {
  const entries = [...places].map(([name, { file, line }]) => {
    const pointer = `/${name.replace(/\[(\d+)\]$/, "/$1").replace(".", "/")}`;
    return [pointer, { kind: "profile" as const, text: name, file, ...(line === undefined ? {} : { line }) }];
  });
  return Object.fromEntries(entries);
}

async function readConfig(words: ParsedWords, path: string, consulted: Consulted): Promise<Spec> {
  refuseOthers(words);
  const absolute = resolve(path);
  const isFolder = statSync(absolute, { throwIfNoEntry: false })?.isDirectory() ?? false;
  const file = isFolder ? join(absolute, "config.json") : absolute;
  consulted.files.add(file);
  const { validateSpec } = await import("../spec/validate.js");
  const spec = validateSpec(readJson(file), file);
  return completeConfig(spec, words, resolve(file, ".."), file);
}

/** A relative root is meant from the bundle (config.md, "Root"); words behind "--" replace the process's. */
function completeConfig(spec: Spec, words: ParsedWords, bundle: string, file: string): Spec {
  const process = spec.process && words.operands.length > 0 ? { ...spec.process, args: words.operands } : spec.process;
  const root = spec.root?.path ? { ...spec.root, path: resolve(bundle, spec.root.path) } : spec.root;
  const whole: Spec = { ...spec, ...(process ? { process } : {}), ...(root ? { root } : {}) };
  const extension = readExtension(whole);
  return writeExtension(whole, { terminal: "auto", init: true, dieWithParent: true, ...extension, origins: { "": { kind: "config", text: "", file }, ...extension.origins } });
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    const hint = "brig spec -- COMMAND prints one; runc spec writes one";
    throw new BrigError(`cannot read ${file}: ${(error as Error).message}`, { code: "BRIG_BAD_SPEC", hint, cause: error });
  }
}

function refuseOthers(words: ParsedWords): void {
  const other = words.typed.find(({ name }) => name === "profile" || runOptions.some((option) => option.name === name));
  if (!other) return;
  const hint = "change the document itself, or leave --spec out";
  throw new BrigError(`--spec says all of the sandbox: it does not go together with ${other.text}`, { code: "BRIG_BAD_OPTION", hint });
}
