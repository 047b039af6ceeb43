import { posix } from "node:path";
import type { ContainerMount } from "../../container/model.js";
import { refuseValue } from "./values.js";

const BIND_PROPAGATION = /^(r?private|r?shared|r?slave)$/;

/** `-v SOURCE:PLACE[:OPTIONS]` and `-v PLACE`, in docker's grammar. `exists` tells of a host path. */
export function parseVolume(text: string, makeFolder: (path: string) => void): ContainerMount {
  const [first = "", second, options = "", ...more] = text.split(":");
  if (more.length > 0 || text === "") throw refuseValue("--volume", text, "invalid spec: too many colons", "SOURCE:PLACE[:ro]");
  const source = second === undefined ? "" : first;
  const place = checkPlace("--volume", second ?? first, text);
  const mount: ContainerMount = { Type: source.startsWith("/") ? "bind" : "volume", Source: source, Destination: place, RW: true, Mode: "" };
  for (const option of options.split(",").filter((each) => each !== "")) applyOption(mount, option, text);
  if (mount.Type === "bind") makeFolder((mount.Source = posix.normalize(source)));
  else if (/^[.~]/.test(source)) throw refuseValue("--volume", text, `${JSON.stringify(source)} is no absolute path, and no name of a volume`, "name the folder by its whole path");
  else if (source !== "") mount.Name = source;
  return mount;
}

function applyOption(mount: ContainerMount, option: string, text: string): void {
  if (option === "ro" || option === "readonly") mount.RW = false;
  else if (option === "U" || option === "idmap") mount.Mode = "U";
  else if (option === "nocopy") mount.Mode = "nocopy";
  else if (BIND_PROPAGATION.test(option)) mount.Propagation = option;
  // labels and caches that this engine has not: the mount is the same without them
  else if (!["rw", "z", "Z", "consistent", "cached", "delegated"].includes(option)) throw refuseValue("--volume", text, `invalid mode: ${option}`, "ro, rw, U, rshared, rslave, rprivate");
}

function checkPlace(option: string, place: string, text: string): string {
  if (!place.startsWith("/")) throw refuseValue(option, text, `invalid mount path: '${place}' mount path must be absolute`);
  const clean = posix.normalize(place).replace(/(.)\/$/, "$1");
  if (clean === "/") throw refuseValue(option, text, "invalid specification: destination can't be '/'");
  return clean;
}

/** `--mount type=bind,source=…,target=…,readonly`. */
export function parseMount(text: string): ContainerMount {
  const pairs = new Map(text.split(",").map((pair) => pair.split(/=(.*)/s) as [string, string | undefined]));
  const take = (...names: string[]): string | undefined => {
    const name = names.find((each) => pairs.has(each));
    const value = name === undefined ? undefined : (pairs.get(name) ?? "");
    for (const each of names) pairs.delete(each);
    return value;
  };
  const type = take("type") ?? "volume";
  const source = take("source", "src") ?? "";
  const place = checkPlace("--mount", take("target", "destination", "dst") ?? "", text);
  const readonly = isOn(take("readonly", "ro"));
  if (type !== "bind" && type !== "volume" && type !== "tmpfs") throw refuseValue("--mount", text, `mount type ${JSON.stringify(type)} is not known`, "bind, volume or tmpfs");
  const mount: ContainerMount = { Type: type, Source: source, Destination: place, RW: !readonly, Mode: isOn(take("idmap", "U")) ? "U" : "" };
  const propagation = take("bind-propagation");
  if (propagation !== undefined) mount.Propagation = propagation;
  if (type === "tmpfs") mount.Options = listTmpfsOptions(take("tmpfs-size"), take("tmpfs-mode"), readonly);
  if (type === "bind" && !source.startsWith("/")) throw refuseValue("--mount", text, `invalid mount path: '${source}' mount path must be absolute`);
  if (type === "volume" && source !== "") mount.Name = source;
  take("consistency");
  if (isOn(take("volume-nocopy"))) mount.Mode = "nocopy";
  const [unknown] = pairs.keys();
  if (unknown !== undefined) throw refuseValue("--mount", text, `unexpected key '${unknown}'`);
  return mount;
}

function isOn(value: string | undefined): boolean {
  return value === "" || value === "true" || value === "1";
}

function listTmpfsOptions(size: string | undefined, mode: string | undefined, readonly: boolean): string {
  return [...(size === undefined ? [] : [`size=${size}`]), `mode=${mode ?? "1777"}`, ...(readonly ? ["ro"] : [])].join(",");
}
