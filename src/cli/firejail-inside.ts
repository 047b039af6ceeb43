import { spawnSync } from "node:child_process";
import { BrigError } from "../error/brig-error.js";
import { readNamespace } from "../sandbox/process.js";
import type { Sandbox } from "../sandbox/sandbox.js";
import { writeExtension } from "../spec/extension.js";
import type { NamespaceType, Spec } from "../spec/oci.js";
import { findLauncher } from "../launch/find-launcher.js";
import { encodePlan } from "../plan/encode.js";
import { findPid } from "./firejail-show.js";
import { compileToolPlan, launchSpec, type ToolRun } from "./soft-tool.js";
import { makeTemporaryFile } from "./temporary-file.js";

/** Where ip, tc and nft are. */
const PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

/** A command of the host's with one of the sandbox's namespaces and none of its other walls; root's alone, as with firejail. */
export function joinOne(run: ToolRun, sandbox: Sandbox, type: NamespaceType & ("network" | "mount"), command: string[]): Promise<number> {
  const option = `--join-${type === "mount" ? "filesystem" : "network"}`;
  if (run.host.euid !== 0) throw new BrigError(`${option} is only available to root user`, { code: "BRIG_CANNOT_JOIN", exitCode: 1, hint: "brig firejail --join=NAME joins all of it, with its walls" });
  const [program = ""] = command;
  const folders = (process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin").split(":").filter((folder) => folder.startsWith("/"));
  const candidates = program.includes("/") ? [program] : folders.map((folder) => `${folder}/${program}`);
  const path = `/proc/${findPid(sandbox)}/ns/${type === "mount" ? "mnt" : "net"}`;
  const env = Object.entries(process.env).flatMap(([name, value]) => (value === undefined || name.startsWith("BRIG_") ? [] : [`${name}=${value}`]));
  const spec = { ociVersion: "1.2.0", process: { cwd: type === "mount" ? "/" : process.cwd(), args: command, env }, linux: { namespaces: [{ type, path }] } };
  return launchSpec(run, writeExtension(spec, { candidates, terminal: "plain", stateless: true, inPlace: true }));
}

/** A program of the host's in the sandbox's network, with the rights to change it, which an ordinary user has only there. */
function runInNetwork(run: ToolRun, sandbox: Sandbox, words: readonly string[], input = ""): { status: number; stdout: string; stderr: string } {
  const pid = findPid(sandbox);
  if (readNamespace(pid, "net") === readNamespace("self", "net")) throw new BrigError("the sandbox has the host's network", { code: "BRIG_CANNOT_NETWORK", exitCode: 1, hint: "it is for a sandbox with --net=user, or with an interface of its own" });
  const types = readNamespace(pid, "user") === readNamespace("self", "user") ? ([["network", "net"]] as const) : ([["user", "user"], ["network", "net"]] as const);
  const held = ["CAP_NET_ADMIN"];
  const spec: Spec = {
    ociVersion: "1.2.0",
    process: { cwd: "/", args: [...words], env: [`PATH=${PATH}`], capabilities: { bounding: held, effective: held, permitted: held, inheritable: held, ambient: held } },
    linux: { namespaces: types.map(([type, name]) => ({ type, path: `/proc/${pid}/ns/${name}` })) },
  };
  const candidates = PATH.split(":").map((folder) => `${folder}/${words[0]}`);
  const plan = encodePlan(compileToolPlan(run, writeExtension(spec, { candidates, terminal: "plain", stateless: true, inPlace: true })));
  const { status, stdout, stderr } = makeTemporaryFile(plan, (descriptor) => spawnSync(findLauncher(), ["--plan-fd", "3"], { stdio: ["pipe", "pipe", "pipe", descriptor], encoding: "utf8", input }));
  return { status: status ?? 1, stdout, stderr };
}

/** Text that a program of the host's says of the sandbox's network. */
export function printNetwork(run: ToolRun, sandbox: Sandbox, words: readonly string[]): string {
  const { status, stdout, stderr } = runInNetwork(run, sandbox, words);
  if (status === 0) return stdout.trimEnd();
  throw new BrigError(`${words[0]} says: ${stderr.trim()}`, { code: "BRIG_CANNOT_NETWORK", exitCode: 1, hint: "who started the sandbox may ask, and root" });
}

/** set INTERFACE DOWNLOAD UPLOAD (KB a second), clear INTERFACE, status (firejail(1), "TRAFFIC SHAPING"). */
export function shapeTraffic(run: ToolRun, sandbox: Sandbox, [verb = "", device = "", ...rates]: readonly string[]): string {
  if (verb === "status") return printNetwork(run, sandbox, ["sh", "-c", "tc -s qdisc show; nft list tables"]);
  const [download, upload] = rates.map(Number);
  const isSet = verb === "set" && rates.length === 2 && rates.every((rate) => /^[1-9]\d{0,7}$/.test(rate));
  if (!/^[\w.-]{1,15}$/.test(device) || (!isSet && !(verb === "clear" && rates.length === 0)))
    throw new BrigError("invalid bandwidth command", { code: "BRIG_BAD_USAGE", exitCode: 1, hint: "--bandwidth=NAME set eth0 DOWNLOAD UPLOAD (KB/s), --bandwidth=NAME clear eth0, --bandwidth=NAME status" });
  const table = `firejail_${device.replaceAll(/[^\w]/g, "_")}`;
  clearTraffic(run, sandbox, device, table);
  if (!isSet) return "";
  must(run, sandbox, ["tc", "qdisc", "add", "dev", device, "root", "tbf", "rate", `${upload! * 8}kbit`, "burst", String(Math.max(16_000, upload! * 20)), "latency", "50ms"]);
  const rules = `table netdev ${table} {\n  chain receive {\n    type filter hook ingress device "${device}" priority 0; policy accept;\n    limit rate over ${download! * 1000} bytes/second burst ${Math.max(16_000, download! * 20)} bytes drop\n  }\n}\n`;
  must(run, sandbox, ["nft", "-f", "-"], rules);
  return "";
}

function clearTraffic(run: ToolRun, sandbox: Sandbox, device: string, table: string): void {
  if (runInNetwork(run, sandbox, ["ip", "link", "show", "dev", device]).status !== 0) throw new BrigError(`the sandbox has no interface ${device}`, { code: "BRIG_NO_SUCH_INTERFACE", exitCode: 1, hint: "brig firejail --net.print=NAME shows them" });
  runInNetwork(run, sandbox, ["tc", "qdisc", "del", "dev", device, "root"]);
  runInNetwork(run, sandbox, ["nft", "delete", "table", "netdev", table]);
}

function must(run: ToolRun, sandbox: Sandbox, words: readonly string[], input?: string): void {
  const { status, stderr } = runInNetwork(run, sandbox, words, input);
  if (status !== 0) throw new BrigError(`cannot limit the bandwidth: ${stderr.trim()}`, { code: "BRIG_CANNOT_NETWORK", exitCode: 1, hint: "apt-get install iproute2 nftables" });
}
