import { rmSync } from "node:fs";
import { join } from "node:path";
import { BrigError } from "../error/brig-error.js";
import { readHostFacts } from "../host/facts.js";
import { holdPlan, runLauncher } from "../launch/run-plan.js";
import { findRunFolder } from "../launch/run-folder.js";
import { joinNetworks } from "../network/named/join.js";
import { compilePlan } from "../plan/compile.js";
import { encodePlan } from "../plan/encode.js";
import { readExtension, writeExtension } from "../spec/extension.js";
import type { Spec } from "../spec/oci.js";
import { removeState } from "../sandbox/sweep.js";
import { replaceFile } from "../image/store/replace-file.js";
import { openPlaces } from "./folder.js";
import { writeResolver } from "./etc-files.js";
import type { Container, HostConfig } from "./model.js";
import { askNetworks } from "./networks.js";
import { buildContainerSpec } from "./spec.js";
import { findContainerSandbox, readState, sandboxIdOf } from "./status.js";
import { readContainer, writeContainer } from "./store.js";

export interface StartOptions {
  /** Whoever starts it is shown its output, and passes on what is typed. */
  attached: boolean;
  /** Raw bytes; "" for none. Docker's are ^P ^Q. */
  detachKeys?: string;
  /** Names the launcher and compiler. */
  build: string;
}

/**
 * Makes a container ready and compiles its next run; the plan also lies in the container's folder, for its restarts.
 * @throws BrigError BRIG_ALREADY_RUNNING, and what building the spec and compiling refuse
 */
export function prepareStart(folder: string, container: Container, options: StartOptions): Uint8Array {
  const own = join(folder, container.Id);
  const state = readState(folder, container);
  if (state.Pid > 0 || state.Status === "running" || state.Status === "paused") throw new BrigError(`container ${container.Name} is already running`, { code: "BRIG_ALREADY_RUNNING", hint: `brig docker attach ${container.Name}` });
  clearLastRun(own, container);
  const host = readHostFacts();
  const built = buildContainerSpec(container, { host, folder: own, places: openPlaces(folder, container.Layers.length), findProcess: (reference) => findPid(folder, reference) });
  const spec = completeSpec(addNetwork(built, own, container), folder, container, options);
  const plan = compilePlan(spec, host, {
    runFolder: findRunFolder(host.euid), id: sandboxIdOf(container), keepState: !container.HostConfig.AutoRemove, openStdin: container.Config.OpenStdin,
    build: options.build, ...(options.detachKeys === undefined ? {} : { detachKeys: options.detachKeys }),
  });
  const bytes = encodePlan(plan);
  replaceFile(join(own, "plan"), bytes, 0o600);
  writeContainer(folder, { ...container, State: { ...container.State, StartedAt: new Date().toISOString(), Stopped: false, Error: "" } });
  return bytes;
}

/** What is left of the run before: its state folder, its marks. */
function clearLastRun(own: string, container: Container): void {
  const sandbox = findContainerSandbox(container);
  if (sandbox) removeState(sandbox);
  for (const name of ["stopped", "restart", "exit"]) rmSync(join(own, name), { force: true });
}

/** The name server of its networks stands in the container's own file: nothing is left of it in an image made of it. */
function addNetwork(spec: Spec, own: string, container: Container): Spec {
  const asked = askNetworks(container.HostConfig, container.Config, container.Endpoint);
  if (asked === undefined) return spec;
  const joined = joinNetworks(spec, asked);
  const extension = readExtension(joined);
  const { resolver, ...link } = extension.network?.link ?? {};
  if (extension.network === undefined || resolver === undefined) return joined;
  writeResolver(own, container, link.dns);
  return writeExtension(joined, { ...extension, network: { ...extension.network, link } });
}

const POLICIES: Record<HostConfig["RestartPolicy"]["Name"], "always" | "on-failure" | undefined> = {
  no: undefined, always: "always", "unless-stopped": "always", "on-failure": "on-failure",
};

function completeSpec(spec: Spec, folder: string, { Id, Name, HostConfig }: Container, { attached }: StartOptions): Spec {
  const restart = POLICIES[HostConfig.RestartPolicy.Name];
  const limit = HostConfig.LogConfig.Config["max-size"];
  return writeExtension(spec, {
    ...readExtension(spec),
    ...(attached ? { attached: true } : { detach: true }),
    log: limit === undefined ? {} : { maxBytes: parseBytes(limit) },
    container: {
      folder: join(folder, Id),
      ...(restart === undefined ? {} : { restart, retries: HostConfig.RestartPolicy.MaximumRetryCount }),
      ...(HostConfig.AutoRemove ? { link: join(folder, ".names", Name) } : {}),
    },
  });
}

const UNITS: Record<string, number> = { "": 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };

/** "10m", as docker's log options have sizes. */
function parseBytes(text: string): number {
  const [, number, unit = ""] = /^(\d+)([bkmg]?)b?$/i.exec(text) ?? [];
  if (number === undefined) throw new BrigError(`invalid log option max-size=${text}`, { code: "BRIG_BAD_VALUE", hint: "a number with k, m or g behind it" });
  return Number(number) * UNITS[unit.toLowerCase()]!;
}

/** Another container's first process, whose namespaces are shared. */
function findPid(folder: string, reference: string): number {
  const other = readContainer(folder, reference);
  const pid = other ? readState(folder, other).Pid : 0;
  if (pid > 0) return pid;
  throw new BrigError(`cannot join the namespaces of a non running container: ${reference}`, { code: "BRIG_NOT_RUNNING", hint: "start that one first" });
}

/** Starts a container that nobody watches; the launcher's exit code, 0 when the payload runs. */
export async function startDetached(bytes: Uint8Array): Promise<number> {
  return holdPlan(bytes, (plan) => runLauncher(["--plan-fd", "3"], [plan], { streams: ["ignore", "ignore", 2] }));
}
