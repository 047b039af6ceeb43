import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../fast-check.js";
import { findEnvProgram, parseScriptLine } from "../../../src/rootfs/jail/script.js";

const parse = (text: string) => parseScriptLine(Buffer.from(text));

test("the first line is read as the kernel reads it: one interpreter, one argument", () => {
  assert.deepEqual(parse("#!/bin/sh\necho"), { interpreter: "/bin/sh", argument: undefined });
  assert.deepEqual(parse("#! \t/bin/awk  -f  x \nrest"), { interpreter: "/bin/awk", argument: "-f  x" });
  assert.deepEqual(parse("#!/bin/sh"), { interpreter: "/bin/sh", argument: undefined });
  assert.equal(parse("#!\n/bin/sh"), undefined);
  assert.equal(parse("# !/bin/sh"), undefined);
});

test("what env starts is found, with and without -S", () => {
  const started = (line: string) => findEnvProgram(parse(line)!);
  assert.equal(started("#!/usr/bin/env python3\n"), "python3");
  assert.equal(started("#!/usr/bin/env -S python3 -u\n"), "python3");
  assert.equal(started("#!/usr/bin/env -S -i A=b perl -w\n"), "perl");
  assert.equal(started("#!/usr/bin/env -vS \"my prog\" x\n"), "my prog");
  assert.equal(started("#!/usr/bin/env --split-string=node x\n"), "node");
  assert.equal(started("#!/bin/bash -S x\n"), undefined);
  // env gets "python3 -u" as one word and looks for a program of that name.
  assert.equal(started("#!/usr/bin/env python3 -u\n"), "python3 -u");
});

test("any bytes give a line or nothing", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    const line = parseScriptLine(Buffer.concat([Buffer.from("#!"), bytes]));
    if (line) assert.ok(line.interpreter.length > 0 && !/[\n\0]/.test(line.interpreter) && findEnvProgram(line) !== "");
  }));
});
