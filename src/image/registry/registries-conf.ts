import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parse } from "smol-toml";
import { z } from "zod";
import { imageError } from "../image-error.js";

const location = z.object({ location: z.string(), insecure: z.boolean().optional() });
const schema = z.looseObject({
  registry: z
    .array(z.looseObject({ prefix: z.string().optional(), location: z.string().optional(), insecure: z.boolean().optional(), blocked: z.boolean().optional(), mirror: z.array(z.looseObject(location.shape)).optional() }))
    .optional(),
});

/** A registry, or a mirror of one, and the repository in it. */
export interface Endpoint {
  /** "localhost:5000". */
  host: string;
  path: string;
  /** Plain HTTP, or a certificate that nobody vouches for, will do. */
  insecure: boolean;
}

export interface RegistriesConf {
  /** Mirrors in their order, then the registry itself. @throws BrigError BRIG_REGISTRY_BLOCKED */
  findEndpoints(domain: string, path: string): Endpoint[];
}

const HUB = "docker.io";
const HUB_HOST = "registry-1.docker.io";

/**
 * Mirrors and exceptions in the form of containers-registries.conf(5), version 2: `$BRIG_REGISTRIES_CONF`, else
 * `~/.config/brig/registries.conf` and `/etc/brig/registries.conf`, the first that is there.
 *
 * @throws BrigError BRIG_BAD_REGISTRIES_CONF
 */
export function readRegistriesConf(env: NodeJS.ProcessEnv = process.env): RegistriesConf {
  const named = env["BRIG_REGISTRIES_CONF"];
  const config = env["XDG_CONFIG_HOME"]?.startsWith("/") ? env["XDG_CONFIG_HOME"] : join(env["HOME"] ?? homedir(), ".config");
  const files = named === undefined ? [join(config, "brig", "registries.conf"), "/etc/brig/registries.conf"] : [named];
  for (const file of files) {
    const text = readOptional(file, named !== undefined);
    if (text !== undefined) return parseRegistriesConf(text, file);
  }
  return parseRegistriesConf("", "none");
}

function readOptional(file: string, must: boolean): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (!must && ["ENOENT", "ENOTDIR", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw imageError("BRIG_BAD_REGISTRIES_CONF", `cannot read ${file}: ${(error as Error).message}`, undefined, error);
  }
}

export function parseRegistriesConf(text: string, file: string): RegistriesConf {
  const registries = readToml(text, file).registry ?? [];
  return {
    findEndpoints(domain, path) {
      const name = `${domain}/${path}`;
      const fitting = registries.map((entry) => ({ entry, prefix: entry.prefix ?? entry.location ?? "" })).filter(({ prefix }) => coversName(prefix, name));
      const best = fitting.sort((a, b) => b.prefix.length - a.prefix.length)[0];
      if (!best) return [makeEndpoint(name, false)];
      const { entry, prefix } = best;
      if (entry.blocked) throw imageError("BRIG_REGISTRY_BLOCKED", `the registry ${prefix} is blocked in ${file}`);
      const move = (to: string): string => (prefix.startsWith("*.") ? name : `${to.replace(/\/$/, "")}${name.slice(prefix.length)}`);
      const mirrors = (entry.mirror ?? []).map((mirror) => makeEndpoint(move(mirror.location), mirror.insecure === true));
      return [...mirrors, makeEndpoint(entry.location === undefined ? name : move(entry.location), entry.insecure === true)];
    },
  };
}

function readToml(text: string, file: string): z.infer<typeof schema> {
  try {
    return schema.parse(parse(text));
  } catch (error) {
    throw imageError("BRIG_BAD_REGISTRIES_CONF", `${file} makes no sense: ${(error as Error).message.split("\n")[0]}`, "see containers-registries.conf(5)", error);
  }
}

function coversName(prefix: string, name: string): boolean {
  if (prefix.startsWith("*.")) return name.split("/", 1)[0]!.endsWith(prefix.slice(1));
  return prefix !== "" && name.startsWith(prefix) && (name.length === prefix.length || name[prefix.length] === "/");
}

function makeEndpoint(name: string, insecure: boolean): Endpoint {
  const slash = name.indexOf("/");
  const host = name.slice(0, slash);
  return { host: host === HUB ? HUB_HOST : host, path: name.slice(slash + 1), insecure: insecure || isLoopback(host) };
}

/** What docker takes without TLS unasked: 127.0.0.0/8, ::1 and localhost. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/:\d+$/, "");
  return name === "localhost" || /^127\.\d+\.\d+\.\d+$/.test(name) || name === "[::1]";
}
