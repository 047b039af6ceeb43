import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { isKnownSyscall, readLastNumber, readSyscalls } from "../../../src/plan/seccomp/tables.js";

describe("system call tables", () => {
  const headers = [["x64", "unistd_64.h"], ["x86", "unistd_32.h"]] as const;
  for (const [table, file] of headers)
    test(`of ${table} agree with this machine's ${file}`, (t) => {
      const path = `/usr/include/x86_64-linux-gnu/asm/${file}`;
      if (!existsSync(path)) return t.skip(`${path} is not installed`);
      const defined = [...readFileSync(path, "utf8").matchAll(/^#define __NR_(\w+) (\d+)$/gm)].map(([, name, number]) => [name!, Number(number)] as const);
      assert.ok(defined.length > 350);
      const wrong = defined.filter(([name, number]) => name !== "syscalls" && readSyscalls(table).get(name) !== number);
      // A kernel that is newer than the tables may have more at the end, and nothing else.
      assert.deepEqual(wrong.filter(([, number]) => number <= readLastNumber(table)), []);
    });

  test("go together from Linux 5.1 on", () => {
    for (const table of ["x64", "x86", "arm64", "arm"] as const) {
      assert.equal(readSyscalls(table).get("pidfd_send_signal"), 424);
      assert.equal(readSyscalls(table).get("mseal"), 462);
      assert.equal(readLastNumber(table), 470);
    }
  });

  test("know ARM's private calls, which are far behind the others", () => assert.equal(readSyscalls("arm").get("cacheflush"), 0xf0002));

  test("know names of all architectures, and take no number for one", () => {
    assert.deepEqual(["read", "arch_prctl", "_llseek", "set_tls", "raed", "424", "", "read write"].map(isKnownSyscall), [true, true, true, true, false, false, false, false]);
  });
});
