import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { BrigError } from "../error/brig-error.js";
import type { Container } from "./model.js";
import { replaceFile } from "../image/store/replace-file.js";

const MODE = 0o644;

/** /etc/hosts, /etc/hostname and /etc/resolv.conf as the container begins with them, in its own folder. */
export function writeEtcFiles(folder: string, container: Container): void {
  replaceFile(`${folder}/hostname`, `${container.Config.Hostname}\n`, MODE);
  replaceFile(`${folder}/hosts`, formatHosts(container), MODE);
  writeResolver(folder, container);
}

/** @param asked who is asked for names, instead of the container's own servers or the host's */
export function writeResolver(folder: string, container: Container, asked?: readonly string[]): void {
  replaceFile(`${folder}/resolv.conf`, formatResolver(container, asked), MODE);
}

const LOCAL = ["127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback", "fe00::\tip6-localnet", "ff00::\tip6-mcastprefix", "ff02::1\tip6-allnodes", "ff02::2\tip6-allrouters"];

function formatHosts({ Config, HostConfig }: Container): string {
  const { Hostname, Domainname } = Config;
  const own = Domainname ? `127.0.1.1\t${Hostname}.${Domainname} ${Hostname}` : `127.0.1.1\t${Hostname}`;
  return `${[...LOCAL, ...HostConfig.ExtraHosts.map(formatExtra), own].join("\n")}\n`;
}

/** "NAME:ADDRESS" or "NAME=ADDRESS". */
function formatExtra(text: string): string {
  const [, name, address = ""] = /^([^:=\s]+)[:=]\[?([^\]\s]+)\]?$/.exec(text) ?? [];
  if (name !== undefined && isIP(address) > 0) return `${address}\t${name}`;
  throw new BrigError(`invalid argument ${JSON.stringify(text)} for "--add-host": bad format for add-host`, { code: "BRIG_BAD_VALUE", hint: "NAME:ADDRESS" });
}

function formatResolver({ HostConfig }: Container, asked: readonly string[] = HostConfig.Dns): string {
  const host = readHost();
  const servers = asked.length > 0 ? asked.map((server) => `nameserver ${server}`) : host.filter((line) => line.startsWith("nameserver"));
  const search = HostConfig.DnsSearch.length > 0 ? HostConfig.DnsSearch.filter((domain) => domain !== ".").map((domain) => `search ${domain}`) : host.filter((line) => /^(search|domain)\s/.test(line));
  const options = HostConfig.DnsOptions.length > 0 ? [`options ${HostConfig.DnsOptions.join(" ")}`] : host.filter((line) => line.startsWith("options"));
  return `${[...servers, ...search, ...options].join("\n")}\n`;
}

function readHost(): string[] {
  try {
    return readFileSync("/etc/resolv.conf", "utf8").split("\n").map((line) => line.trim());
  } catch {
    return [];
  }
}
