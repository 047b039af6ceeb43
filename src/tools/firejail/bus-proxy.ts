import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, openSync, rmSync } from "node:fs";
import { BrigError } from "../../error/brig-error.js";
import type { BusProxy } from "./desktop.js";

const START_TIMEOUT_MS = 5000;

/** Proxies that listen; `stop` ends them and removes their sockets. */
export interface RunningProxies {
  stop(): void;
}

/** Starts xdg-dbus-proxy(1) for each bus and waits until it listens. It ends with this process whatever happens. */
export async function startProxies(proxies: readonly BusProxy[]): Promise<RunningProxies> {
  const children: ChildProcess[] = [];
  const stop = (): void => {
    for (const child of children) child.kill();
    for (const { socket } of proxies) rmSync(socket, { force: true });
  };
  try {
    for (const proxy of proxies) children.push(await startProxy(proxy));
  } catch (error) {
    stop();
    throw error;
  }
  return { stop };
}

/** The proxy writes a byte to the descriptor when it listens, and leaves when the other end closes. */
async function startProxy({ address, socket, words, log }: BusProxy): Promise<ChildProcess> {
  rmSync(socket, { force: true });
  const output = log === undefined ? "ignore" : log === "" ? 2 : openSync(log, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW, 0o600);
  const told = log === undefined ? [] : ["--log"];
  const child = spawn("xdg-dbus-proxy", ["--fd=3", address, socket, "--filter", ...told, ...words], { stdio: ["ignore", output, "inherit", "pipe"] });
  if (typeof output === "number" && output > 2) closeSync(output);
  const ready = child.stdio[3]!;
  const answer = await Promise.race([
    once(ready, "data").then(() => "ready"),
    once(child, "exit").then(() => "it ended"),
    once(child, "error").then(([error]) => String((error as Error).message)),
    new Promise<string>((resolve) => setTimeout(resolve, START_TIMEOUT_MS, "it did not listen in time").unref()),
  ]);
  if (answer === "ready") return child;
  child.kill();
  throw new BrigError(`cannot filter the bus ${address}: ${answer}`, { code: "BRIG_CANNOT_FILTER_BUS", exitCode: 1, hint: "--dbus-user=none and --dbus-system=none close the buses" });
}
