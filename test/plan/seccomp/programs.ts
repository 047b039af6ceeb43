import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { AUDIT_ARCH } from "../../../src/plan/seccomp/architectures.js";
import { type SyscallTable } from "../../../src/plan/seccomp/tables.js";
import type { Seccomp, SeccompArg, SeccompRule } from "../../../src/spec/oci.js";
import { toValue } from "./naive.js";

const fixtures = join(dirname(fileURLToPath(import.meta.url)), "../../fixtures/seccomp");

/** A folder that goes away with the process, and the C programs of test/fixtures/seccomp compiled into it. */
export class Programs {
  readonly folder = mkdtempSync(join(tmpdir(), "brig-seccomp-"));

  constructor() {
    process.once("exit", () => this.remove());
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The program's path, or undefined where there is no compiler or library for it. */
  compile(name: "probe" | "export"): string | undefined {
    const target = join(this.folder, name);
    if (existsSync(target)) return target;
    const words = name === "probe" ? ["-static"] : ["-lseccomp"];
    const { status } = spawnSync("cc", ["-O1", "-o", target, join(fixtures, `${name}.c`), ...words], { stdio: "ignore" });
    return status === 0 ? target : undefined;
  }

  write(name: string, bytes: Uint8Array): string {
    const path = join(this.folder, name);
    writeFileSync(path, bytes);
    return path;
  }
}

const OPERATORS = ["", "NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"];

/** libseccomp's program for the same rules, or its words on why not. */
export function exportWithLibseccomp(exporter: string, seccomp: Seccomp, table: SyscallTable): Uint8Array | string {
  const lines = [`${hex(AUDIT_ARCH[table])} ${hex(toValue(seccomp.defaultAction, seccomp.defaultErrnoRet))}`];
  for (const rule of seccomp.syscalls ?? []) for (const name of rule.names) lines.push(...writeRules(rule, name));
  const { status, stdout, stderr } = spawnSync(exporter, { input: `${lines.join("\n")}\n` });
  return status === 0 ? stdout : `${status}: ${stderr}`;
}

/** As runc hands them over: an argument that is compared twice makes rules of its own. */
function writeRules(rule: SeccompRule, name: string): string[] {
  const args = rule.args ?? [];
  const repeated = new Set(args.map((arg) => arg.index)).size < args.length;
  const groups = repeated ? args.map((arg) => [arg]) : [args];
  const head = `${hex(toValue(rule.action, rule.errnoRet))} ${name}`;
  return groups.map((group) => `${head} ${hex(group.length)} ${group.map(writeArgument).join(" ")}`);
}

function writeArgument({ index, op, value, valueTwo }: SeccompArg): string {
  return [index, OPERATORS.indexOf(op.replace("SCMP_CMP_", "")), value, valueTwo ?? 0].map(hex).join(" ");
}

function hex(number: number | bigint): string {
  return number.toString(16);
}
