import { imageError } from "./image-error.js";
import type { ImageConfig } from "./oci.js";

type Settings = NonNullable<ImageConfig["config"]>;

const WORDS: Record<string, (settings: Settings, text: string) => Settings> = {
  CMD: (settings, text) => ({ ...settings, Cmd: readCommand(text) }),
  ENTRYPOINT: (settings, text) => ({ ...settings, Entrypoint: readCommand(text) }),
  ENV: (settings, text) => ({ ...settings, Env: addEnvironment(settings.Env ?? [], readPairs(text, true)) }),
  EXPOSE: (settings, text) => ({ ...settings, ExposedPorts: { ...settings.ExposedPorts, ...Object.fromEntries(splitWords(text).map((port) => [readPort(port), {}])) } }),
  LABEL: (settings, text) => ({ ...settings, Labels: { ...settings.Labels, ...Object.fromEntries(readPairs(text, false)) } }),
  ONBUILD: (settings, text) => ({ ...settings, OnBuild: [...((settings["OnBuild"] as string[] | undefined) ?? []), text] }),
  STOPSIGNAL: (settings, text) => ({ ...settings, StopSignal: text }),
  USER: (settings, text) => ({ ...settings, User: text }),
  VOLUME: (settings, text) => ({ ...settings, Volumes: { ...settings.Volumes, ...Object.fromEntries(readList(text).map((path) => [path, {}])) } }),
  WORKDIR: (settings, text) => ({ ...settings, WorkingDir: text.startsWith("/") ? text : `${settings.WorkingDir ?? ""}/${text}` }),
};

/** Lines of a Dockerfile that only change settings, as `docker commit --change` takes them. @throws BrigError BRIG_BAD_CHANGE */
export function changeConfig(settings: Settings, lines: readonly string[]): Settings {
  return lines.reduce((changed, line) => {
    const [, word = "", text = ""] = /^\s*(\w+)\s+([^]*?)\s*$/.exec(line) ?? [];
    const change = WORDS[word.toUpperCase()];
    if (!change || !Object.hasOwn(WORDS, word.toUpperCase())) throw imageError("BRIG_BAD_CHANGE", `${JSON.stringify(line)} is no change to an image`, `begin with one of ${Object.keys(WORDS).join(", ")}`);
    return change(changed, text);
  }, settings);
}

/** A JSON list of words, or a line for a shell. */
function readCommand(text: string): string[] {
  return readJsonList(text) ?? ["/bin/sh", "-c", text];
}

function readList(text: string): string[] {
  return readJsonList(text) ?? splitWords(text);
}

function readJsonList(text: string): string[] | undefined {
  if (!text.startsWith("[")) return undefined;
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every((word) => typeof word === "string") ? list : undefined;
  } catch {
    return undefined;
  }
}

/** Words with quotes and backslashes, as a Dockerfile has them. */
function splitWords(text: string): string[] {
  return (text.match(/(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/g) ?? []).map((word) => word.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/g, (_, double?: string, single?: string, one?: string) => double?.replace(/\\(.)/g, "$1") ?? single ?? one ?? ""));
}

/** "A=1 B=2"; of ENV also "A all the rest". */
function readPairs(text: string, mayBeOne: boolean): [string, string][] {
  const old = /^([^\s=]+)\s+([^]*)$/.exec(text);
  if (mayBeOne && old) return [[old[1]!, old[2]!]];
  return splitWords(text).map((word) => {
    const split = word.indexOf("=");
    if (split < 1) throw imageError("BRIG_BAD_CHANGE", `${JSON.stringify(word)} is not NAME=VALUE`);
    return [word.slice(0, split), word.slice(split + 1)];
  });
}

function addEnvironment(known: readonly string[], pairs: [string, string][]): string[] {
  const names = new Set(pairs.map(([name]) => name));
  return [...known.filter((variable) => !names.has(variable.split("=", 1)[0]!)), ...pairs.map(([name, value]) => `${name}=${value}`)];
}

function readPort(text: string): string {
  if (!/^\d{1,5}(-\d{1,5})?(\/(tcp|udp|sctp))?$/.test(text)) throw imageError("BRIG_BAD_CHANGE", `${JSON.stringify(text)} is no port`);
  return text.includes("/") ? text : `${text}/tcp`;
}
