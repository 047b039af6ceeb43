import { readText } from "../../host/read-text.js";

/** The system's folder of profiles, and its settings. */
export const SYSTEM_FOLDER = "/etc/firejail";

/** What the administrator set in /etc/firejail/firejail.config: "KEY VALUE", with Firejail's own defaults. */
export type FirejailConfig = ReadonlyMap<string, string>;

const DEFAULTS: [string, string][] = [
  ["allow-tray", "no"], ["browser-allow-drm", "no"], ["browser-disable-u2f", "yes"], ["disable-mnt", "no"],
  ["private-lib", "no"], ["quiet-by-default", "no"], ["restricted-network", "no"], ["force-nonewprivs", "no"],
  ["seccomp-error-action", "EPERM"], ["private-bin-no-local", "no"], ["tracelog", "no"],
];

export function parseConfig(text: string): FirejailConfig {
  const config = new Map(DEFAULTS);
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    const blank = line.indexOf(" ");
    if (!line.startsWith("#") && blank > 0) config.set(line.slice(0, blank), line.slice(blank + 1).trim());
  }
  return config;
}

export function readConfig(folder = SYSTEM_FOLDER): FirejailConfig {
  return parseConfig(readText(`${folder}/firejail.config`) ?? "");
}

export function isEnabled(config: FirejailConfig, key: string): boolean {
  return config.get(key) !== "no";
}
