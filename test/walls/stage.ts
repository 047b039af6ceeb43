/**
 * A place to try walls in: a copy of the built command (so that a build meanwhile changes nothing), a project folder
 * and a home for each identity, a secret beside them, and the fixtures' programs. All of it goes when the tests end.
 */
import { spawn, execFile } from "node:child_process";
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

/** An ordinary user without an account: nothing on the host is this user's. */
export const ORDINARY = 54_321;
export const SECRET = "what nobody inside may read";

export interface Identity {
  name: "root" | "user";
  uid: number;
}

/** Who can be tried: root and an ordinary user, or who runs the tests. */
export const identities: Identity[] =
  process.getuid?.() === 0 ? [{ name: "root", uid: 0 }, { name: "user", uid: ORDINARY }] : [{ name: "user", uid: process.getuid?.() ?? 0 }];

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  input?: string;
  cwd?: string;
  env?: Record<string, string>;
  /** Runs this with the brig command behind it ("script -c", a fixture that holds a key). */
  through?: string[];
  timeoutMs?: number;
  stdio?: ("pipe" | "ignore" | number)[];
}

export interface Stage {
  folder: string;
  brig: string;
  secret: string;
  /** The project folder, which is the working folder of what is run, and the home. */
  project(who: Identity): string;
  home(who: Identity): string;
  /** The fixture's program, compiled when it is first asked for. */
  fixture(name: string): Promise<string>;
  /** `brig WORDS…` */
  brigAs(who: Identity, words: string[], options?: RunOptions): Promise<Ran>;
  /** `brig run OPTIONS -- COMMAND` with the fixtures readable. */
  run(who: Identity, options: string[], command: string[], how?: RunOptions): Promise<Ran>;
  /** The same for a fixture's program; its lines "NAME: ANSWER" as a table. */
  ask(who: Identity, options: string[], fixture: string, words?: string[], how?: RunOptions): Promise<Record<string, string>>;
  /** A shell script. */
  sh(who: Identity, options: string[], script: string, how?: RunOptions): Promise<Ran>;
  close(): void;
}

const compile = promisify(execFile);

export function openStage(): Stage {
  // In /var/tmp and not in /tmp: it is private inside too, and what is found there was shown.
  const folder = mkdtempSync("/var/tmp/brig-walls-");
  chmodSync(folder, 0o755);
  const place = (name: string): string => join(folder, name);
  mkdirSync(place("bin"));
  mkdirSync(place("dist"));
  cpSync("dist/brig", place("dist/brig"));
  cpSync("dist/cli", place("dist/cli"), { recursive: true });
  mkdirSync(place("outside"));
  writeFileSync(place("outside/secret"), SECRET);
  for (const who of identities) for (const name of ["project", "home", "cache", "runtime"]) makeOwned(place(`${name}-${who.name}`), who);
  for (const who of identities) {
    writeFileSync(place(`home-${who.name}/.secret`), SECRET);
    writeFileSync(place(`project-${who.name}/file`), "of the project\n");
    chownSync(place(`project-${who.name}/file`), who.uid, who.uid);
  }

  const programs = new Map<string, Promise<string>>();
  const compileFixture = async (name: string): Promise<string> => {
    const out = place(`bin/${name}`);
    await compile(process.env["CC"] ?? "cc", ["-static", "-O1", "-s", "-Wall", "-o", out, resolve(`test/fixtures/walls/${name}.c`)]);
    return out;
  };

  const stage: Stage = {
    folder,
    brig: place("dist/brig"),
    secret: place("outside/secret"),
    project: (who) => place(`project-${who.name}`),
    home: (who) => place(`home-${who.name}`),
    fixture: (name) => {
      const known = programs.get(name) ?? compileFixture(name);
      programs.set(name, known);
      return known;
    },
    brigAs: (who, words, options = {}) => runProcess([...(options.through ?? []), place("dist/brig"), ...words], who, describeCaller(stage, who, options), options),
    run: (who, options, command, how) => stage.brigAs(who, ["run", "--read", place("bin"), ...options, "--", ...command], how),
    ask: async (who, options, fixture, words = [], how) => readAnswers(await stage.run(who, options, [await stage.fixture(fixture), ...words], how)),
    sh: (who, options, script, how) => stage.run(who, options, ["/bin/sh", "-c", script], how),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
  return stage;
}

function makeOwned(folder: string, who: Identity): void {
  mkdirSync(folder, { mode: 0o700 });
  chownSync(folder, who.uid, who.uid);
}

/** Everything that a login gives, and nothing of the test's own. */
function describeCaller(stage: Stage, who: Identity, options: RunOptions): { cwd: string; env: Record<string, string> } {
  const env: Record<string, string> = {
    PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: stage.home(who), USER: who.name, LANG: "C.UTF-8",
    XDG_CACHE_HOME: join(stage.folder, `cache-${who.name}`), XDG_RUNTIME_DIR: join(stage.folder, `runtime-${who.name}`), ...options.env,
  };
  return { cwd: options.cwd ?? stage.project(who), env };
}

export function runProcess(words: string[], who: Identity, where: { cwd: string; env: Record<string, string> }, options: RunOptions): Promise<Ran> {
  const [file = "", ...rest] = words;
  const as = process.getuid?.() === 0 ? { uid: who.uid, gid: who.uid } : {};
  return new Promise((done, fail) => {
    const child = spawn(file, rest, { ...where, ...as, stdio: options.stdio ?? ["pipe", "pipe", "pipe"] });
    const timer = setTimeout(() => child.kill("SIGKILL"), options.timeoutMs ?? 20_000);
    let stdout = "";
    let stderr = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => void (stdout += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => void (stderr += text));
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(options.input ?? "");
    child.on("error", fail);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      done({ code: code ?? (signal === "SIGKILL" ? 137 : 128), stdout, stderr });
    });
  });
}

/** "NAME: ANSWER" lines. A fixture that could not be run at all is a failure of the test. */
export function readAnswers({ code, stdout, stderr }: Ran): Record<string, string> {
  const lines = stdout.split(/\r?\n/).map((line) => /^(.*): (\S+)$/.exec(line)).filter((match) => match !== null);
  if (lines.length === 0) throw new Error(`no answers, exit status ${code}\n${stdout}${stderr}`);
  return Object.fromEntries(lines.map(([, name, answer]) => [name ?? "", answer ?? ""]));
}

/** The names of the answers that say "ok". */
export function listOpen(answers: Record<string, string>): string[] {
  return Object.entries(answers).filter(([, answer]) => answer === "ok").map(([name]) => name);
}
