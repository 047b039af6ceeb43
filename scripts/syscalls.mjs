// node scripts/syscalls.mjs [ARM_INCLUDE_DIR]: writes the system call tables of src/plan/seccomp/tables/ from the
// kernel's headers: linux-libc-dev (x86), linux-libc-dev-arm64-cross, and for 32-bit ARM linux-libc-dev-armhf-cross,
// whose include folder may be named when it is unpacked elsewhere. A table whose headers are missing stays as it is.
import { spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), "src/plan/seccomp/tables");

// Newer than the headers of Debian 12 (Linux 6.1). Since 5.1 a new call has one number on every architecture
// (asm-generic/unistd.h, scripts/syscall.tbl). The x86-64 exceptions fill holes of that table alone.
const EVERYWHERE = {
  cachestat: 451, fchmodat2: 452, map_shadow_stack: 453, futex_wake: 454, futex_wait: 455, futex_requeue: 456, // 6.5-6.7
  statmount: 457, listmount: 458, lsm_get_self_attr: 459, lsm_set_self_attr: 460, lsm_list_modules: 461, mseal: 462, // 6.8-6.10
  setxattrat: 463, getxattrat: 464, listxattrat: 465, removexattrat: 466, open_tree_attr: 467, // 6.13-6.15
  file_getattr: 468, file_setattr: 469, listns: 470, // 6.17-6.19
};
const X86_64_ONLY = { uretprobe: 335, uprobe: 336 }; // 6.11, 6.18

const TABLES = [
  { file: "x86-64", title: "x86-64", include: "/usr/include/x86_64-linux-gnu", defines: ["__x86_64__"], newer: { ...EVERYWHERE, ...X86_64_ONLY } },
  { file: "i386", title: "32-bit x86", include: "/usr/include/x86_64-linux-gnu", defines: ["__i386__"], newer: EVERYWHERE },
  { file: "aarch64", title: "64-bit ARM", include: "/usr/aarch64-linux-gnu/include", defines: ["__aarch64__", "__LP64__"], newer: EVERYWHERE },
  { file: "arm", title: "32-bit ARM (EABI)", include: process.argv[2] ?? "/usr/arm-linux-gnueabihf/include", defines: ["__arm__", "__ARM_EABI__"], newer: EVERYWHERE },
];
const NOT_CALLS = new Set(["syscalls", "arch_specific_syscall", "SYSCALL_BASE", "OABI_SYSCALL_BASE", "SYSCALL_MASK", "cmpxchg", "BASE"]);

/** Runs the C preprocessor without the compiler's own idea of the machine, so that one compiler reads all headers. */
function preprocess({ include, defines }, text, ...flags) {
  const undefine = ["x86_64", "i386", "LP64", "ILP32"].map((name) => `-U__${name}__`);
  const words = ["-E", "-P", ...flags, "-nostdinc", ...undefine, ...defines.map((name) => `-D${name}`), "-isystem", include, "-isystem", "/usr/include", "-"];
  const { stdout, stderr, status } = spawnSync("cc", words, { input: text, encoding: "utf8" });
  if (status !== 0) throw new Error(`cc ${words.join(" ")}: ${stderr}`);
  return stdout;
}

/** "(0x0f0000 + 2)" as a number. */
function evaluate(expression) {
  if (!/^[\s()+0-9a-fx]+$/i.test(expression)) throw new Error(`not a number: ${expression}`);
  return expression.replaceAll(/[()\s]/g, "").split("+").reduce((sum, part) => sum + Number(part), 0);
}

/** Pairs of name and number, sorted by number. */
function readTable(table) {
  const macros = preprocess(table, "#include <asm/unistd.h>\n", "-dM");
  const names = [...macros.matchAll(/^#define (__NR_|__ARM_NR_)(\w+)/gm)].filter(([, , name]) => !NOT_CALLS.has(name));
  const lines = names.map(([, prefix, name]) => `"${name}" = ${prefix}${name}`);
  const resolved = preprocess(table, `#include <asm/unistd.h>\n${lines.join("\n")}\n`);
  const found = [...resolved.matchAll(/^"(\w+)" = (.+)$/gm)].map(([, name, value]) => [name, evaluate(value)]);
  const all = new Map([...Object.entries(table.newer), ...found]);
  return [...all].sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1));
}

/** Names in order; a number says what the next name's is where that is not one more than the last. */
function writeCompactly(pairs) {
  let next = 0;
  const words = [];
  for (const [name, number] of pairs) {
    if (number !== next) words.push(String(number));
    words.push(name);
    next = number + 1;
  }
  return words.join(" ");
}

for (const table of TABLES) {
  if (!existsSync(join(table.include, "asm/unistd.h"))) {
    console.error(`${table.file}: no asm/unistd.h in ${table.include}; its table stays as it is`);
    continue;
  }
  const lines = writeCompactly(readTable(table)).match(/.{1,112}(?: |$)/g).map((line) => `  "${line}"`);
  const constant = table.file.replaceAll("-", "_").toUpperCase();
  const head = `/** The system calls of ${table.title}, as scripts/syscalls.mjs writes them: names in order, a number before a jump. */\n`;
  writeFileSync(join(folder, `${table.file}.ts`), `${head}export const ${constant} =\n${lines.join(" +\n")};\n`);
}
