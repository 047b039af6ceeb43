import { readFileSync, mkdirSync } from "node:fs";
import type { CreateRequest } from "../../container/create.js";
import { type ContainerConfig, type Healthcheck, type HostConfig, makeConfig, makeHostConfig } from "../../container/model.js";
import { checkRunWords } from "./check-run.js";
import { parseMount, parseVolume } from "./mounts.js";
import { addPorts, listExposed } from "./ports.js";
import { parseBytes, parseGoDuration, parseInteger, refuseValue, splitPair } from "./values.js";

/** The words of `docker run`, as its grammar splits them. */
export interface RunWords {
  has(name: string): boolean;
  value(name: string): string | undefined;
  values(name: string): string[];
}

/**
 * What `docker run OPTIONS IMAGE COMMAND…` asks for.
 * @param env the caller's, for `-e NAME`
 * @throws BrigError BRIG_BAD_VALUE, BRIG_CANNOT_READ
 */
export function readRunRequest(words: RunWords, command: string[], env: NodeJS.ProcessEnv): Omit<CreateRequest, "id"> {
  checkRunWords(words);
  const hostConfig = readHostConfig(words);
  const mounts = [...words.values("volume").map((text) => parseVolume(text, makeFolder)), ...words.values("mount").map(parseMount)];
  const name = words.value("name");
  return { ...(name === undefined ? {} : { name }), config: readConfig(words, command, env), hostConfig, mounts, endpoint: readEndpoint(words, hostConfig.NetworkMode) };
}

function readEndpoint(words: RunWords, mode: string): CreateRequest["endpoint"] {
  const [ip, ip6, mac, aliases] = [words.value("ip"), words.value("ip6"), words.value("mac-address"), words.values("network-alias")];
  const none = mode === "host" || mode === "none" || mode.startsWith("container:");
  if (none && (ip ?? ip6 ?? mac ?? aliases[0]) !== undefined) throw refuseValue("--network", mode, "conflicting options: an address, a name or a MAC address on a network that has none");
  return { ...(ip === undefined ? {} : { ip }), ...(ip6 === undefined ? {} : { ip6 }), ...(mac === undefined ? {} : { mac }), ...(aliases.length > 0 ? { aliases } : {}) };
}

/** As docker does for `-v`. */
function makeFolder(path: string): void {
  mkdirSync(path, { recursive: true });
}

function readConfig(words: RunWords, command: string[], env: NodeJS.ProcessEnv): ContainerConfig {
  const entrypoint = words.value("entrypoint");
  const config: ContainerConfig = {
    ...makeConfig(),
    Hostname: words.value("hostname") ?? "",
    User: words.value("user") ?? "",
    Tty: words.has("tty"),
    OpenStdin: words.has("interactive"),
    Env: [...words.values("env-file").flatMap((file) => readEnvFile(file, env)), ...words.values("env").flatMap((line) => takeVariable(line, env))],
    Cmd: command,
    Entrypoint: entrypoint === undefined ? [] : [entrypoint],
    WorkingDir: words.value("workdir") ?? "",
    Labels: Object.fromEntries([...words.values("label-file").flatMap(readLines), ...words.values("label")].map(splitPair)),
    ExposedPorts: Object.fromEntries(words.values("expose").flatMap(listExposed).map((port) => [port, {}])),
  };
  const [domain, signal, timeout] = [words.value("domainname"), words.value("stop-signal"), words.value("stop-timeout")];
  if (domain !== undefined) config.Domainname = domain;
  if (signal !== undefined) config.StopSignal = signal;
  if (timeout !== undefined) config.StopTimeout = parseInteger("--stop-timeout", timeout);
  const health = readHealth(words);
  if (health) config.Healthcheck = health;
  return config;
}

function readHealth(words: RunWords): Healthcheck | undefined {
  if (words.has("no-healthcheck")) return { Test: ["NONE"] };
  const command = words.value("health-cmd");
  const time = (name: string): number | undefined => {
    const text = words.value(name);
    return text === undefined ? undefined : parseGoDuration(`--${name}`, text);
  };
  const retries = words.value("health-retries");
  const [interval, timeout, start] = [time("health-interval"), time("health-timeout"), time("health-start-period")];
  if (command === undefined && retries === undefined && interval === undefined && timeout === undefined && start === undefined) return undefined;
  return {
    Test: command === undefined ? [] : ["CMD-SHELL", command],
    ...(interval === undefined ? {} : { Interval: interval }), ...(timeout === undefined ? {} : { Timeout: timeout }),
    ...(start === undefined ? {} : { StartPeriod: start }), ...(retries === undefined ? {} : { Retries: parseInteger("--health-retries", retries) }),
  };
}

/** "NAME" is the caller's, and nothing where the caller has none. */
function takeVariable(line: string, env: NodeJS.ProcessEnv): string[] {
  if (line.startsWith("=") || line === "") throw refuseValue("--env", line, `invalid environment variable: ${line}`);
  if (line.includes("=")) return [line];
  return env[line] === undefined ? [] : [`${line}=${env[line]}`];
}

function readEnvFile(file: string, env: NodeJS.ProcessEnv): string[] {
  return readLines(file).flatMap((line) => {
    if (/^\S*\s/.test(line.split("=", 1)[0]!)) throw refuseValue("--env-file", file, `poorly formatted environment: variable '${line.split("=", 1)[0]}' contains whitespaces`);
    return takeVariable(line, env);
  });
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, "utf8").replace(/^\ufeff/, "").split(/\r?\n/).map((line) => line.trimStart()).filter((line) => line !== "" && !line.startsWith("#"));
  } catch (error) {
    throw refuseValue("--env-file", file, `open ${file}: ${(error as Error).message}`);
  }
}

function readHostConfig(words: RunWords): HostConfig {
  const host = makeHostConfig();
  const text = (name: string, otherwise = ""): string => words.value(name) ?? otherwise;
  const bytes = (name: string, least = 0): number => (words.value(name) === undefined ? 0 : parseBytes(`--${name}`, text(name), least));
  const integer = (name: string): number => (words.value(name) === undefined ? 0 : parseInteger(`--${name}`, text(name)));
  const compat = words.has("docker-compat");
  Object.assign(host, {
    NetworkMode: words.value("network") ?? words.value("net") ?? "default",
    PublishAllPorts: words.has("publish-all"), AutoRemove: words.has("rm"), RestartPolicy: readRestart(text("restart", "no"), words.has("rm")),
    CapAdd: words.values("cap-add"), CapDrop: words.values("cap-drop"), Dns: words.values("dns"), DnsOptions: words.values("dns-option"),
    DnsSearch: words.values("dns-search"), ExtraHosts: words.values("add-host"), GroupAdd: words.values("group-add"),
    IpcMode: text("ipc", "private"), PidMode: text("pid"), UTSMode: text("uts"), UsernsMode: text("userns", compat || words.has("privileged") ? "host" : ""),
    Privileged: words.has("privileged"), ReadonlyRootfs: words.has("read-only"), Init: words.has("init"),
    SecurityOpt: [...(compat ? ["no-new-privileges=false"] : []), ...words.values("security-opt").map(readSecurity)],
    Tmpfs: Object.fromEntries(words.values("tmpfs").map((each) => each.split(/:(.*)/s).slice(0, 2)).map(([place = "", options = ""]) => [place, options])),
    Sysctls: Object.fromEntries(words.values("sysctl").map(splitPair)),
    Memory: bytes("memory"), MemorySwap: bytes("memory-swap", -1), MemoryReservation: bytes("memory-reservation"),
    NanoCpus: readCpus(words.value("cpus")), CpuShares: integer("cpu-shares"), CpuPeriod: integer("cpu-period"), CpuQuota: integer("cpu-quota"),
    CpusetCpus: text("cpuset-cpus"), CpusetMems: text("cpuset-mems"), PidsLimit: integer("pids-limit") || (compat ? -1 : 0), OomScoreAdj: integer("oom-score-adj"),
    Ulimits: words.values("ulimit").map(readUlimit), Devices: words.values("device").map(readDevice),
    LogConfig: { Type: text("log-driver", "json-file"), Config: Object.fromEntries(words.values("log-opt").map(splitPair)) },
    TimeoutMs: words.value("timeout") === undefined ? 0 : Math.ceil(parseGoDuration("--timeout", text("timeout")) / 1e6),
  } satisfies Partial<HostConfig>);
  if (words.value("shm-size") !== undefined) host.ShmSize = bytes("shm-size");
  if (words.has("oom-kill-disable")) host.OomKillDisable = true;
  for (const ports of words.values("publish")) addPorts(host.PortBindings, ports);
  return host;
}

function readRestart(text: string, removes: boolean): HostConfig["RestartPolicy"] {
  const [name = "", retries = "0"] = text.split(":");
  if (name !== "no" && name !== "always" && name !== "on-failure" && name !== "unless-stopped") throw refuseValue("--restart", text, `invalid restart policy '${name}'`, "no, always, unless-stopped, on-failure[:N]");
  if (removes && name !== "no") throw refuseValue("--restart", text, "conflicting options: cannot specify both --restart and --rm");
  if (name !== "on-failure" && retries !== "0") throw refuseValue("--restart", text, `maximum retry count cannot be used with restart policy '${name}'`);
  return { Name: name, MaximumRetryCount: parseInteger("--restart", retries) };
}

/** A seccomp profile is read here, as docker's client does: the engine gets its text. */
function readSecurity(option: string): string {
  const [, file] = /^seccomp[=:](.*)$/s.exec(option) ?? [];
  if (file === undefined || file === "unconfined") return option;
  try {
    return `seccomp=${readFileSync(file, "utf8")}`;
  } catch (error) {
    throw refuseValue("--security-opt", option, `opening seccomp profile (${file}) failed: ${(error as Error).message}`);
  }
}

function readCpus(text: string | undefined): number {
  if (text === undefined) return 0;
  if (!/^\d+(\.\d+)?$|^\.\d+$/.test(text)) throw refuseValue("--cpus", text, `failed to parse ${text} as a rational number`);
  return Math.round(Number(text) * 1e9);
}

function readUlimit(text: string): HostConfig["Ulimits"][number] {
  const [, name, soft, hard] = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text) ?? [];
  if (name === undefined || soft === undefined) throw refuseValue("--ulimit", text, `invalid ulimit argument: ${text}`, "nofile=1024:2048");
  return { Name: name, Soft: Number(soft), Hard: Number(hard ?? soft) };
}

function readDevice(text: string): HostConfig["Devices"][number] {
  const [source = "", second, third] = text.split(":");
  const isRights = (word: string | undefined): boolean => word !== undefined && /^[rwm]+$/.test(word);
  const place = second === undefined || isRights(second) ? source : second;
  const rights = isRights(second) ? second! : (third ?? "rwm");
  if (!source.startsWith("/") || !place.startsWith("/") || !isRights(rights)) throw refuseValue("--device", text, "bad format for path");
  return { PathOnHost: source, PathInContainer: place, CgroupPermissions: rights };
}
