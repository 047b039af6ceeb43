import { constants } from "node:os";
import { readSyscalls } from "../../plan/seccomp/tables.js";
import type { SeccompAction } from "../../spec/oci.js";
import { refuseRule } from "./paths.js";
import type { Rule } from "./rule.js";
import { SYSCALL_GROUPS } from "./syscall-groups.js";

/** What a refused call returns. */
export interface Answer {
  action: SeccompAction;
  errno?: number;
}

/** "kill", "log", or an error's name. */
export function readAnswer(word: string): Answer | undefined {
  if (word === "kill") return { action: "SCMP_ACT_KILL_PROCESS" };
  if (word === "log") return { action: "SCMP_ACT_LOG" };
  const errno = (constants.errno as Record<string, number>)[word];
  return errno === undefined ? undefined : { action: "SCMP_ACT_ERRNO", errno };
}

/**
 * The calls of a list: "name", "$number", "@group", each with ":ERRNO" behind it, and "!name" for one that is taken
 * out again, wherever it stands. What no machine knows is passed over when the filter is compiled.
 */
export function readCalls(rule: Rule, list: string): Map<string, Answer | undefined> {
  const calls = new Map<string, Answer | undefined>();
  const excepted = new Set<string>();
  for (const word of list.split(",").map((each) => each.trim())) {
    if (word === "") continue;
    if (word.startsWith("!")) for (const name of expandCall(rule, word.slice(1))) excepted.add(name);
    else addCall(rule, word, calls);
  }
  for (const name of excepted) calls.delete(name);
  return calls;
}

function addCall(rule: Rule, word: string, calls: Map<string, Answer | undefined>): void {
  const [call = "", answer, ...more] = word.split(":");
  const read = answer === undefined ? undefined : readAnswer(answer);
  if (more.length > 0 || (answer !== undefined && !read)) throw refuseRule(rule, "BRIG_BAD_VALUE", `there is no answer ${JSON.stringify(answer)} to a system call`, "kill, log, or an error's name: mkdir:ENOENT");
  for (const name of expandCall(rule, call)) calls.set(name, read);
}

function expandCall(rule: Rule, word: string): string[] {
  if (word.startsWith("$")) return [findByNumber(rule, word)];
  if (!word.startsWith("@")) return [word];
  const group = Object.hasOwn(SYSCALL_GROUPS, word) ? SYSCALL_GROUPS[word] : undefined;
  if (group === undefined) throw refuseRule(rule, "BRIG_BAD_VALUE", `there is no group ${word} of system calls`, Object.keys(SYSCALL_GROUPS).join(" "));
  return group.split(" ").flatMap((name) => expandCall(rule, name));
}

/** A number of the machine's own table. */
function findByNumber(rule: Rule, word: string): string {
  const number = Number(word.slice(1));
  for (const [name, value] of readSyscalls(process.arch === "arm64" ? "arm64" : "x64")) if (value === number) return name;
  throw refuseRule(rule, "BRIG_BAD_VALUE", `no system call has the number ${word.slice(1)}`, "name it");
}
