import { spawnSync } from "node:child_process";

const UNITS = ["E", "P", "T", "G", "M", "K"];

/** A size as systemd shows it: "0B", "5.0M", "1.2G"; "" for what is not known. */
export function formatBytes(bytes: number | undefined): string {
  if (bytes === undefined) return "";
  for (const [index, unit] of UNITS.entries()) {
    const factor = 1024 ** (UNITS.length - index);
    if (bytes >= factor) return `${Math.floor(bytes / factor)}.${Math.floor((bytes * 10) / factor) % 10}${unit}`;
  }
  return `${Math.floor(bytes)}B`;
}

/** "Mon 2026-11-23 23:42:35 UTC" in the caller's time zone; "-" for what is not known. */
export function formatTimestamp(ms: number | undefined): string {
  if (ms === undefined) return "-";
  const time = new Date(ms);
  const two = (number: number): string => String(number).padStart(2, "0");
  const date = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${DAYS[time.getDay()]} ${date} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())} ${nameZone(ms)}`;
}

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const zones = new Map<number, string>();

/** The zone's short name, which JavaScript does not know: asked of date(1), once for each distance from UTC. */
function nameZone(ms: number): string {
  const offset = new Date(ms).getTimezoneOffset();
  const known = zones.get(offset);
  if (known !== undefined) return known;
  const name = offset === 0 && !/[A-Z]/.test(process.env["TZ"] ?? "") ? "UTC" : askZone(ms);
  zones.set(offset, name);
  return name;
}

function askZone(ms: number): string {
  const { stdout } = spawnSync("date", ["-d", `@${Math.floor(ms / 1000)}`, "+%Z"], { encoding: "utf8" });
  return stdout?.trim() || "UTC";
}

const SECOND = 1e3;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
const MONTH = 2_629_800 * SECOND;
const YEAR = 31_557_600 * SECOND;

/** "31ms ago", "3h 23min ago", "1 week 2 days ago", as systemd words it. */
export function formatAgo(thenMs: number, nowMs = Date.now()): string {
  const ms = Math.abs(nowMs - thenMs);
  return `${spell(ms)} ${thenMs <= nowMs ? "ago" : "left"}`;
}

function spell(ms: number): string {
  if (ms >= YEAR) return `${count(ms / YEAR, "year")} ${count((ms % YEAR) / MONTH, "month")}`;
  if (ms >= MONTH) return `${count(ms / MONTH, "month")} ${count((ms % MONTH) / DAY, "day")}`;
  if (ms >= WEEK) return `${count(ms / WEEK, "week")} ${count((ms % WEEK) / DAY, "day")}`;
  if (ms >= 2 * DAY) return count(ms / DAY, "day");
  if (ms >= 25 * HOUR) return `1 day ${Math.floor((ms - DAY) / HOUR)}h`;
  if (ms >= 6 * HOUR) return `${Math.floor(ms / HOUR)}h`;
  if (ms >= HOUR) return `${Math.floor(ms / HOUR)}h ${Math.floor((ms % HOUR) / MINUTE)}min`;
  if (ms >= 5 * MINUTE) return `${Math.floor(ms / MINUTE)}min`;
  if (ms >= MINUTE) return `${Math.floor(ms / MINUTE)}min ${Math.floor((ms % MINUTE) / SECOND)}s`;
  return ms >= SECOND ? `${Math.floor(ms / SECOND)}s` : `${Math.floor(ms)}ms`;
}

function count(number: number, what: string): string {
  return `${Math.floor(number)} ${what}${Math.floor(number) === 1 ? "" : "s"}`;
}

/**
 * "10M", "1.5G", "512": bytes, with units of 1024. @returns undefined for anything else; Infinity for "-" and "infinity"
 */
export function parseBytes(text: string): number | undefined {
  if (text === "-" || text === "infinity") return Infinity;
  const match = /^\s*(\d+(?:\.\d+)?)\s*([EPTGMK]?)B?$/.exec(text);
  if (!match) return undefined;
  const power = match[2] === "" ? 0 : UNITS.length - UNITS.indexOf(match[2]!);
  return Math.floor(Number(match[1]) * 1024 ** power);
}

/** "yes", "true", "1", "on" and their contraries, as systemd reads them. */
export function parseBoolean(text: string): boolean | undefined {
  if (/^(1|yes|y|true|t|on)$/i.test(text)) return true;
  if (/^(0|no|n|false|f|off)$/i.test(text)) return false;
  return undefined;
}
