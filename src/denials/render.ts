import { describeOrigin } from "../spec/origin.js";
import type { Denial } from "./denial.js";

const VERBS: Record<Denial["want"], string> = {
  look: "look up", read: "read", write: "write", execute: "execute", create: "create", remove: "remove", replace: "replace", change: "change",
  connect: "connect to", call: "call",
};

/** "brig: cat could not read /x: the home is private; --read /x allows it". A payload chooses names: none steers a terminal. */
export function renderDenial(denial: Denial): string {
  const allow = denial.allow ? `; ${denial.allow} allows it` : denial.advice ? `; ${denial.advice}` : "";
  return `brig: ${showText(denial.program)} could not ${VERBS[denial.want]} ${showText(denial.what)}: ${describeRule(denial)}${showText(allow)}`;
}

function describeRule({ rule, origin }: Denial): string {
  const who = origin ? describeOrigin(origin) : "";
  return showText(who === "" || who === rule ? rule : `${rule} (${who})`);
}

/** All of them, and the words that would allow them together. */
export function renderSummary(denials: readonly Denial[], lost: number): string {
  if (denials.length === 0) return "brig: nothing was blocked";
  const lines = denials.map((denial) => `  ${renderEntry(denial)}`);
  const words = listWords(denials);
  const more = lost > 0 ? [`  and ${lost} more`] : [];
  const how = words.length > 0 ? [`to allow all of it: ${words.join(" ")}`] : [];
  return [`brig: blocked (${denials.length + lost}):`, ...lines, ...more, ...how].join("\n");
}

function renderEntry(denial: Denial): string {
  const times = denial.count > 1 ? `, ${denial.count} times` : "";
  const allow = denial.allow ? `\n      allow: ${denial.allow}` : "";
  const advice = denial.advice ? `\n      ${denial.allow ? "" : "advice: "}${denial.advice}` : "";
  return `${VERBS[denial.want]} ${showText(denial.what)} (${showText(denial.program)}${times}): ${describeRule(denial)}${showLines(allow)}${showLines(advice)}`;
}

function showLines(text: string): string {
  return text.split("\n").map(showText).join("\n");
}

/** The words of all denials, each once; what a wider one allows already is left out. */
export function listWords(denials: readonly Denial[]): string[] {
  const words = [...new Set(denials.flatMap(({ allow }) => allow ?? []))];
  const has = new Set(words);
  return words.filter((word) => {
    if (word === "--net user" && has.has("--net host")) return false;
    const [, verb, path] = /^--(read|write) (.*)$/.exec(word) ?? [];
    if (verb === undefined) return true;
    return !words.some((other) => other !== word && covers(other, verb, path!));
  });
}

function covers(other: string, verb: string, path: string): boolean {
  const [, otherVerb, folder] = /^--(read|write) (.*)$/.exec(other) ?? [];
  if (folder === undefined || (verb === "write" && otherVerb === "read")) return false;
  return path === folder ? verb === "read" && otherVerb === "write" : path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

/** What steers a terminal is shown as \xNN. */
export function showText(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (sign) => `\\x${sign.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
