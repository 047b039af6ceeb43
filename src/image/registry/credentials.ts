import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { findTool } from "../../host/tools.js";
import { imageError } from "../image-error.js";
import { replaceFile } from "../store/replace-file.js";

export interface Credentials {
  username: string;
  password: string;
  /** A refresh token of an OAuth 2 server in place of a password. */
  identityToken?: string | undefined;
  /** A ready bearer token. */
  registryToken?: string | undefined;
}

interface AuthEntry {
  auth?: string;
  username?: string;
  password?: string;
  identitytoken?: string;
  registrytoken?: string;
}

interface DockerConfig {
  auths?: Record<string, AuthEntry>;
  credHelpers?: Record<string, string>;
  credsStore?: string;
  [other: string]: unknown;
}

const HUB_KEY = "https://index.docker.io/v1/";
const HELPER_TIMEOUT_MS = 60_000;

/** `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`. */
export function findDockerConfig(env: NodeJS.ProcessEnv = process.env): string {
  return join(env["DOCKER_CONFIG"] || join(env["HOME"] || homedir(), ".docker"), "config.json");
}

/** The key under which docker keeps what is for a registry. */
export function keyOfRegistry(domain: string): string {
  return ["docker.io", "index.docker.io", "registry-1.docker.io"].includes(domain) ? HUB_KEY : domain;
}

/** What docker login has kept for a registry, from the file or a helper. @throws BrigError BRIG_BAD_DOCKER_CONFIG, BRIG_CREDENTIAL_HELPER */
export function findCredentials(domain: string, env: NodeJS.ProcessEnv = process.env): Credentials | undefined {
  const config = readConfig(findDockerConfig(env));
  const key = keyOfRegistry(domain);
  const helper = config.credHelpers?.[key] ?? config.credHelpers?.[domain] ?? config.credsStore;
  const helped = helper ? askHelper(helper, "get", key) : undefined;
  return helped ?? readEntry(findEntry(config, key));
}

/** Entries may have a scheme and a path: "https://registry.example/v1/". */
function findEntry({ auths = {} }: DockerConfig, key: string): AuthEntry | undefined {
  if (Object.hasOwn(auths, key)) return auths[key];
  const found = Object.keys(auths).find((name) => name !== HUB_KEY && name.replace(/^https?:\/\//, "").replace(/\/.*$/, "") === key);
  return found === undefined ? undefined : auths[found];
}

function readEntry(entry: AuthEntry | undefined): Credentials | undefined {
  if (!entry) return undefined;
  const decoded = Buffer.from(entry.auth ?? "", "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  const username = entry.username ?? decoded.slice(0, Math.max(colon, 0));
  const password = entry.password ?? decoded.slice(colon + 1).replace(/\0+$/, "");
  if (!username && !entry.identitytoken && !entry.registrytoken) return undefined;
  return { username, password, identityToken: entry.identitytoken, registryToken: entry.registrytoken };
}

function readConfig(file: string): DockerConfig {
  try {
    const config: unknown = JSON.parse(readFileSync(file, "utf8"));
    return typeof config === "object" && config !== null ? (config as DockerConfig) : {};
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "")) return {};
    throw imageError("BRIG_BAD_DOCKER_CONFIG", `cannot read ${file}: ${(error as Error).message}`, undefined, error);
  }
}

/** docker-credential-NAME (github.com/docker/docker-credential-helpers): the key goes in, JSON comes out. */
function askHelper(name: string, action: "get" | "store" | "erase", input: string): Credentials | undefined {
  const program = /^[\w.-]+$/.test(name) ? findTool(`docker-credential-${name}`) : undefined;
  if (program === undefined) throw imageError("BRIG_CREDENTIAL_HELPER", `the credential helper docker-credential-${name} is missing`, `install it, or take it out of ${findDockerConfig()}`);
  const { status, stdout, stderr, error } = spawnSync(program, [action], { input, encoding: "utf8", timeout: HELPER_TIMEOUT_MS });
  if (/credentials not found/i.test(stdout)) return undefined;
  if (error || status !== 0) throw imageError("BRIG_CREDENTIAL_HELPER", `docker-credential-${name} ${action} failed: ${(stdout || stderr || error?.message || `status ${status}`).trim()}`);
  return action === "get" ? readAnswer(name, stdout) : undefined;
}

function readAnswer(name: string, output: string): Credentials {
  try {
    const { Username, Secret } = JSON.parse(output) as { Username: string; Secret: string };
    return Username === "<token>" ? { username: "", password: "", identityToken: Secret } : { username: Username, password: Secret };
  } catch (error) {
    throw imageError("BRIG_CREDENTIAL_HELPER", `docker-credential-${name} answered what is no JSON`, undefined, error);
  }
}

/** Keeps credentials as docker login does. @returns whether they now stand readable in the file */
export function storeCredentials(domain: string, { username, password }: Credentials, env: NodeJS.ProcessEnv = process.env): boolean {
  const file = findDockerConfig(env);
  const config = readConfig(file);
  const key = keyOfRegistry(domain);
  const helper = config.credHelpers?.[key] ?? config.credsStore;
  if (helper) askHelper(helper, "store", JSON.stringify({ ServerURL: key, Username: username, Secret: password }));
  const entry = helper ? {} : { auth: Buffer.from(`${username}:${password}`).toString("base64") };
  writeConfig(file, { ...config, auths: { ...config.auths, [key]: entry } });
  return !helper;
}

/** Forgets them. @returns whether there were any */
export function eraseCredentials(domain: string, env: NodeJS.ProcessEnv = process.env): boolean {
  const file = findDockerConfig(env);
  const config = readConfig(file);
  const key = keyOfRegistry(domain);
  const helper = config.credHelpers?.[key] ?? config.credsStore;
  if (helper) askHelper(helper, "erase", key);
  if (!config.auths || !Object.hasOwn(config.auths, key)) return helper !== undefined;
  const { [key]: _, ...auths } = config.auths;
  writeConfig(file, { ...config, auths });
  return true;
}

function writeConfig(file: string, config: DockerConfig): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    replaceFile(file, `${JSON.stringify(config, undefined, "\t")}\n`, 0o600);
  } catch (error) {
    throw imageError("BRIG_BAD_DOCKER_CONFIG", `cannot write ${file}: ${(error as Error).message}`, undefined, error);
  }
}
