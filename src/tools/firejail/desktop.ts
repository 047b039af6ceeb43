import { describeOrigin } from "../../spec/origin.js";
import { type Draft, hide } from "./draft.js";
import { dropVariable } from "./environment.js";
import { findReal, refuseRule } from "./paths.js";
import { findLast, type Rule } from "./rule.js";
import { applyX11 } from "./x11.js";

/** X11 and the message buses. */
export function applyDesktop(draft: Draft): void {
  applyX11(draft);
  applyBus(draft, "user");
  applyBus(draft, "system");
}

type Bus = "user" | "system";

/** A bus that a proxy stands before, which lets through what the rules name. */
export interface BusProxy {
  /** Of the real bus: "unix:path=/run/user/1000/bus". */
  address: string;
  /** Where the proxy listens on the host. */
  socket: string;
  /** "--talk=org.example". */
  words: string[];
  /** Where what it sees is kept; "" is standard error. */
  log?: string;
}

function applyBus(draft: Draft, bus: Bus): void {
  const rules = draft.rules.filter(({ name }) => name === `dbus-${bus}`);
  const details = draft.rules.filter(({ name }) => name.startsWith(`dbus-${bus}.`));
  for (const rule of rules) if (rule.value !== "none" && rule.value !== "filter") throw refuseRule(rule, "BRIG_BAD_VALUE", `a bus is filtered or closed, not ${rule.value}`, `dbus-${bus} filter, dbus-${bus} none`);
  const [rule] = rules;
  const detail = details.find(({ name }) => !name.endsWith(".log"));
  if (!rule && detail) draft.warnings.push(`${detail.name} says nothing without dbus-${bus} filter (${describeOrigin(detail.origin)})`);
  if (!rule) return;
  const closed = rules.findIndex(({ value }) => value === "none");
  const opened = rules.findIndex(({ value }) => value === "filter");
  if (closed >= 0 && opened > closed) draft.warnings.push(`dbus-${bus} stays closed: an earlier line says none (${describeOrigin(rules[opened]!.origin)})`);
  if (closed >= 0) closeBus(draft, bus, rules[closed]!);
  else filterBus(draft, bus, rule, details);
}

const SYSTEM_BUS = "/run/dbus/system_bus_socket";

function listSockets({ context }: Draft, bus: Bus): string[] {
  const { runUser } = context.places;
  if (bus === "system") return [SYSTEM_BUS];
  const named = readSocket(context.env["DBUS_SESSION_BUS_ADDRESS"]);
  return [`${runUser}/bus`, `${runUser}/dbus-1`, ...(named === undefined ? [] : [named])];
}

function readSocket(address: string | undefined): string | undefined {
  return /(?:^|[:,])path=(\/[^,;]+)/.exec(address ?? "")?.[1];
}

function closeBus(draft: Draft, bus: Bus, rule: Rule): void {
  for (const path of listSockets(draft, bus)) hide(draft, path, rule.origin);
  const variable = bus === "user" ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS";
  dropVariable(draft, variable);
}

/** The proxy's socket in the bus's place; without a bus on the host there is nothing to filter. */
function filterBus(draft: Draft, bus: Bus, rule: Rule, details: readonly Rule[]): void {
  const { context } = draft;
  const [place = "", ...others] = listSockets(draft, bus);
  const address = context.env[bus === "user" ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS"] ?? `unix:path=${place}`;
  const real = readSocket(address);
  if (real === undefined || findReal(real) === undefined) return closeBus(draft, bus, rule);
  if (context.host.hasTool("xdg-dbus-proxy") === undefined)
    throw refuseRule(rule, "BRIG_CANNOT_FILTER_BUS", `the ${bus === "user" ? "session" : "system"} bus can be filtered only through xdg-dbus-proxy`, `apt-get install xdg-dbus-proxy, or --dbus-${bus}=none, or --ignore=dbus-${bus}`);
  const socket = `${context.stage}/bus-${bus}-${process.pid}`;
  const words = details.filter(({ name }) => !name.endsWith(".log")).map(({ name, value }) => `--${name.slice(name.indexOf(".") + 1)}=${value}`);
  const log = details.some(({ name }) => name.endsWith(".log")) ? { log: findLast(draft.rules, "dbus-log")?.value ?? "" } : {};
  draft.proxies.push({ address, socket, words: [...(bus === "user" ? ["--talk=org.freedesktop.DBus"] : []), ...words], ...log });
  for (const path of others) if (path !== real) hide(draft, path, rule.origin);
  draft.view.bind(findReal(real)!, socket, rule.origin);
}
