import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import * as format from "../../src/plan/format.js";
import { OPERATIONS, WIDTHS } from "../../src/plan/operations.js";

const header = readFileSync("launcher/plan.h", "utf8");

/** What plan.h says of each operation: its letters and, from the comment, the kinds of its arguments. */
function readOperations(): { name: string; phases: string; words: string }[] {
  const body = /enum op \{(.*?)\n\};/s.exec(header)?.[1] ?? "";
  return [...body.matchAll(/^ {2}OP_(\w+)(?: = 1)?,(?:\s*\/\* ([HPCLI]+)\b(.*?)\*\/)?/gm)]
    .filter(([, name]) => name !== "COUNT")
    .map(([, name = "", phases = "", words = ""]) => ({ name, phases, words }));
}

test("every operation of plan.h has the same number and phases here, and none is missing", () => {
  const listed = readOperations();
  assert.deepEqual(listed.map(({ name }) => name).sort(), Object.keys(OPERATIONS).sort());
  listed.forEach(({ name, phases }, index) => {
    const operation = OPERATIONS[name as keyof typeof OPERATIONS];
    assert.equal(operation.number, index + 1, name);
    assert.equal(operation.phases, phases, name);
  });
});

test("every operation has the arguments that the launcher checks it for", () => {
  const table = readFileSync("launcher/plan.c", "utf8");
  const kinds: Record<string, string> = {
    slot: "l", slotOrNone: "L", path: "S", string: "s", list: "v", words: "V", u32: "u", i32: "u", u64: "q",
    text: "b", bytes: "b", ids: "b", capabilities: "b", landlock: "b",
  };
  const checked = new Map([...table.matchAll(/\[OP_(\w+)\] = \{"(\w*)", "(\w+)"\}/g)].map(([, name, words, phases]) => [name, { words, phases }]));
  for (const [name, operation] of Object.entries(OPERATIONS)) {
    const words = Object.values(operation.arguments).map((kind: keyof typeof WIDTHS) => kinds[kind]).join("");
    assert.deepEqual(checked.get(name), { words, phases: operation.phases }, name);
  }
});

test("no operation has more than the seven words of a step", () => {
  for (const [name, operation] of Object.entries(OPERATIONS)) {
    const words = Object.values(operation.arguments).reduce((sum, kind: keyof typeof WIDTHS) => sum + WIDTHS[kind], 0);
    assert.ok(words <= format.STEP_WORDS, name);
  }
});

test("every constant and offset is the one that a C compiler finds in plan.h", () => {
  const constants: [string, number][] = [
    ["PLAN_VERSION", format.PLAN_VERSION], ["PLAN_PREFIX", format.PLAN_PREFIX], ["PLAN_MAX_SIZE", format.PLAN_MAX_SIZE],
    ["SLOT_COUNT", format.SLOT_COUNT], ["SLOT_NONE", format.SLOT_NONE], ["STEP_OPTIONAL", format.STEP_OPTIONAL], ["STEP_ID", format.STEP_ID],
    ...Object.entries(format.RUN).map(([name, value]): [string, number] => [`RUN_${name}`, value]),
    ...Object.entries(format.BIND).map(([name, value]): [string, number] => [`BIND_${name}`, value]),
    ...Object.entries(format.CREATE).map(([name, value]): [string, number] => [`CREATE_${name}`, value]),
    ...Object.entries(format.MACHINE).map(([name, value]): [string, number] => [`MACHINE_${name}`, value]),
    ...Object.entries(format.REPLACE).map(([name, value]): [string, number] => [`REPLACE_${name}`, value]),
    ...Object.entries(format.WITNESS).map(([name, value]): [string, number] => [`WITNESS_${name}`, value]),
    ...format.PHASES.map((phase, index): [string, number] => [`PHASE_${phase.toUpperCase()}`, index]),
    ["PHASE_COUNT", format.PHASES.length], ["OP_COUNT", Object.keys(OPERATIONS).length + 1],
    ["sizeof(struct plan_header)", format.HEADER_SIZE], ["sizeof(struct plan_step)", format.STEP_SIZE],
    ["sizeof(struct plan_witness)", format.WITNESS_SIZE], ["sizeof(struct plan_landlock)", format.LANDLOCK_SIZE],
    ["sizeof(struct plan_landlock_rule)", format.LANDLOCK_RULE_SIZE], ["sizeof(struct record_failed)", format.FAILED_SIZE],
    ...offsets("plan_header", format.HEADER), ...offsets("plan_witness", format.WITNESS_FIELDS),
    ...offsets("plan_landlock", format.LANDLOCK_FIELDS), ...offsets("plan_landlock_rule", format.LANDLOCK_RULE_FIELDS),
    ...offsets("record_failed", format.FAILED_FIELDS),
    ...(["RDONLY", "NOSUID", "NODEV", "NOEXEC", "NOATIME", "STRICTATIME", "NODIRATIME", "NOSYMFOLLOW"] as const)
      .map((name): [string, number] => [`MOUNT_ATTR_${name}`, format.MOUNT_ATTR[name]]),
    ["MOUNT_ATTR__ATIME", format.MOUNT_ATTR.ATIME],
    ["MS_REC", format.MS.REC], ["MS_PRIVATE", format.MS.PRIVATE], ["MS_SLAVE", format.MS.SLAVE], ["MS_SHARED", format.MS.SHARED], ["MS_UNBINDABLE", format.MS.UNBINDABLE],
    ["CLONE_NEWTIME", format.CLONE.time], ["CLONE_NEWNS", format.CLONE.mount], ["CLONE_NEWCGROUP", format.CLONE.cgroup], ["CLONE_NEWUTS", format.CLONE.uts],
    ["CLONE_NEWIPC", format.CLONE.ipc], ["CLONE_NEWUSER", format.CLONE.user], ["CLONE_NEWPID", format.CLONE.pid], ["CLONE_NEWNET", format.CLONE.network],
  ];
  assert.deepEqual(evaluateInC(constants.map(([name]) => name)), constants.map(([, value]) => value));
  assert.match(header, new RegExp(`PLAN_MAGIC "${format.PLAN_MAGIC}"`));
});

function offsets(struct: string, fields: Record<string, number>): [string, number][] {
  return Object.entries(fields).map(([name, at]) => [`offsetof(struct ${struct}, ${name})`, at]);
}

function evaluateInC(expressions: string[]): number[] {
  const folder = mkdtempSync(join(tmpdir(), "brig-format-"));
  try {
    const source = `#include <stddef.h>\n#include <stdio.h>\n#include <linux/mount.h>\n#include <linux/sched.h>\n#include "${resolve("launcher/plan.h")}"\nint main(void) {\n${expressions.map((expression) => `printf("%llu\\n", (unsigned long long)(${expression}));`).join("\n")}\n}\n`;
    writeFileSync(join(folder, "print.c"), source);
    execFileSync("cc", ["-o", join(folder, "print"), join(folder, "print.c")], { stdio: "inherit" });
    return execFileSync(join(folder, "print"), { encoding: "utf8" }).trim().split("\n").map(Number);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
