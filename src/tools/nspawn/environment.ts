import type { NspawnContext } from "./context.js";
import type { NspawnOptions } from "./options.js";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Who the payload is, as far as its environment goes. */
interface Who {
  name: string;
  home: string;
  uuid: string;
}

/** "NAME=value": what systemd-nspawn sets (systemd.io/CONTAINER_INTERFACE), and on top what was asked for. */
export function buildEnvironment(options: NspawnOptions, context: NspawnContext, who: Who, notify: string | undefined, credentials: string | undefined): string[] {
  const set = new Map<string, string>([["PATH", PATH], ["container", "systemd-nspawn"], ["container_uuid", who.uuid], ["HOME", who.home], ["USER", who.name], ["LOGNAME", who.name]]);
  const term = context.env["TERM"];
  if (term !== undefined) set.set("TERM", term);
  set.set("LANG", "C.UTF-8");
  for (const [name, value] of describeHost(context)) set.set(name, value);
  if (notify !== undefined) set.set("NOTIFY_SOCKET", notify);
  if (credentials !== undefined) set.set("CREDENTIALS_DIRECTORY", credentials);
  for (const { name, value = context.env[name] } of options.environment) if (value !== undefined) set.set(name, value);
  return [...set].map(([name, value]) => `${name}=${value}`);
}

const TOLD: Record<string, string> = { ID: "container_host_id", VERSION_ID: "container_host_version_id", BUILD_ID: "container_host_build_id", VARIANT_ID: "container_host_variant_id" };

/** os-release(5) of the host. */
function describeHost(context: NspawnContext): [string, string][] {
  const text = context.read("/etc/os-release") ?? context.read("/usr/lib/os-release") ?? "";
  return text.split("\n").flatMap((line): [string, string][] => {
    const [name = "", value] = line.split(/=(.*)/s);
    const told = TOLD[name];
    return told === undefined || value === undefined ? [] : [[told, value.replace(/^(["'])(.*)\1$/, "$2")]];
  });
}
