/** What TypeScript takes and refuses; the type check of the project is the test, and what runs here is little. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type BrigError, type ExecError, type ExecResult, type Input, run, Sandbox, type SandboxFiles, type SandboxOptions, type SandboxProcess } from "../../src/index.js";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <T extends true>(_name: string): T => true as T;

/** Never called: it is only compiled. */
async function compileOnly(box: Sandbox): Promise<void> {
  const text = await run("true");
  holds<Equal<typeof text, ExecResult<string>>>("text by default");
  const bytes = await run("true", [], { encoding: "buffer" });
  holds<Equal<typeof bytes.stdout, Uint8Array>>("bytes when asked for");
  const joined = await box.exec("true", ["a"], { encoding: "utf8", check: true, maxBuffer: "1MiB", timeoutMs: "3s", signal: new AbortController().signal });
  holds<Equal<typeof joined.stdout, string>>("text when asked for");
  holds<Equal<typeof joined.exitCode, number | null>>("no exit code behind a signal");
  holds<Equal<typeof joined.truncated, true | undefined>>("told only when it happened");
  const shell = await box.sh`echo ${1} ${"a"} ${["b", 2n]} ${true}`;
  holds<Equal<typeof shell, ExecResult>>("sh is as exec");
  const spawned = box.spawn("cat", [], { stdin: { input: new ReadableStream<Uint8Array>() as Input } });
  holds<Equal<typeof spawned, SandboxProcess>>("spawn is not a promise");
  for await (const piece of spawned) holds<Equal<typeof piece.stream, "stdout" | "stderr">>("pieces say where they are from");
  const file = await box.fs.readFile("/a");
  holds<Equal<typeof file, Uint8Array>>("bytes by default");
  const content = await box.fs.readFile("/a", "utf8");
  holds<Equal<typeof content, string>>("text by encoding");
  const names = await box.fs.readdir("/");
  holds<Equal<typeof names, string[]>>("names by default");
  holds<Equal<typeof box.fs, SandboxFiles>>("files");
  await using own = await Sandbox.create({ net: "none", memory: 1 << 20, signal: new AbortController().signal });
  void own;

  // @ts-expect-error a word that there is not
  await run("true", [], { wriet: ["/"] });
  // @ts-expect-error arguments are a list
  await run("true", "-a");
  // @ts-expect-error and of strings
  await run("true", [1]);
  // @ts-expect-error an encoding that there is not
  await run("true", [], { encoding: "latin1" });
  // @ts-expect-error the command's life is no walls
  await Sandbox.create({ check: true });
  // @ts-expect-error nobody is there who could see a terminal
  await Sandbox.create({ tty: "always" });
  // @ts-expect-error no word of a command
  await box.sh`echo ${undefined}`;
  // @ts-expect-error no word of a command
  await box.sh`echo ${{ a: 1 }}`;
  // @ts-expect-error a flag that there is not
  await box.fs.open("/a", "rb");
  // @ts-expect-error made by create
  void new Sandbox();
  const options: SandboxOptions = { landlock: "require", share: ["net"] };
  // @ts-expect-error one of three words
  options.landlock = "maybe";
}

test("an ExecError is a BrigError with the command's result", () => {
  const isBrigError = (error: ExecError): BrigError => error;
  assert.equal(typeof isBrigError, "function");
  assert.equal(typeof compileOnly, "function");
});
