import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { ADDRESSES } from "./internet-names.js";

export const BRIG = resolve(process.env["BRIG_LAUNCHER"] ?? "dist/brig");
const USER = 54321;
/** Words of setpriv(1) for what must not outlive a test that is killed. */
export const DIES_WITH_TEST = ["--pdeathsig", "KILL"];

export interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
  /** The lines of --net-log. */
  log: { verdict: string; kind: string; name?: string; address?: string; port?: number; reason?: string; program?: { pid: number; name: string } }[];
  /** As it stands in the file. */
  raw: string;
  /** What reached the internet meanwhile. */
  reached: string[];
}

/** A host with an internet, in a network namespace of its own: the machine's own network stays out of it. */
export interface Internet extends AsyncDisposable {
  /** The process that keeps the namespace. */
  readonly pid: number;
  readonly folder: string;
  run(words: readonly string[], as?: "root" | "user"): Promise<Ran>;
  /** A command on that host. */
  host(...words: string[]): string;
}

export function cannotRun(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root, to make network namespaces and to be another user in turn";
  for (const tool of ["nft", "ip", "openssl", "curl", "nsenter", "setpriv"])
    if (spawnSync("sh", ["-c", `command -v ${tool}`]).status !== 0) return `needs ${tool}`;
  return existsSync(BRIG) ? undefined : "the launcher is not built";
}

export async function makeInternet(): Promise<Internet> {
  const folder = mkdtempSync(join(tmpdir(), "brig-net-"));
  chmodSync(folder, 0o755);
  const keeper = spawn("setpriv", [...DIES_WITH_TEST, "unshare", "--net", "sleep", "infinity"], { stdio: "ignore" });
  const children: ChildProcess[] = [keeper];
  const dispose = async (): Promise<void> => {
    for (const child of children) {
      if (child.exitCode === null && child.kill("SIGKILL")) await once(child, "exit");
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const pid = keeper.pid as number;
    const inside = ["nsenter", `--net=/proc/${pid}/ns/net`];
    const host = (...words: string[]): string => must([...inside, ...words]);
    await waitFor(() => spawnSync("sh", ["-c", `test "$(readlink /proc/${pid}/ns/net)" != "$(readlink /proc/self/ns/net)"`]).status === 0);
    host("ip", "link", "set", "lo", "up");
    for (const address of Object.values(ADDRESSES)) host("ip", "address", "add", address, "dev", "lo");
    must(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", `${folder}/key`, "-out", `${folder}/cert`, "-days", "2", "-subj", "/CN=test"]);
    const lines: string[] = [];
    const server = spawn("setpriv", [...DIES_WITH_TEST, ...inside, process.execPath, fileURLToPath(new URL("./internet-server.js", import.meta.url)), `${folder}/cert`, `${folder}/key`], { stdio: ["ignore", "pipe", "inherit"] });
    children.push(server);
    createInterface({ input: server.stdout as NodeJS.ReadableStream }).on("line", (line) => lines.push(line));
    await waitFor(() => lines.includes("ready"));
    let count = 0;
    return {
      pid, folder, host,
      async run(words, as = "root") {
        const place = join(folder, `run-${count++}`);
        mkdirSync(place);
        const uid = as === "root" ? 0 : USER;
        chownSync(place, uid, uid);
        const before = lines.length;
        const env = { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", XDG_RUNTIME_DIR: place, XDG_CACHE_HOME: place, BRIG_NO_CACHE: "1" };
        const identity = as === "root" ? [] : ["setpriv", `--reuid=${USER}`, `--regid=${USER}`, "--clear-groups"];
        const child = spawn(inside[0] as string, [...inside.slice(1), ...identity, BRIG, "run", ...words], { env, cwd: place, stdio: ["ignore", "pipe", "pipe"] });
        children.push(child);
        const [stdout, stderr, status] = await Promise.all([collect(child.stdout), collect(child.stderr), once(child, "exit").then(([code]) => code as number | null)]);
        const raw = existsSync(`${place}/log`) ? readFileSync(`${place}/log`, "utf8") : "";
        const log = raw.split("\n").filter(Boolean).map((line) => JSON.parse(line) as Ran["log"][number]);
        return { status, stdout, stderr, log, raw, reached: lines.slice(before) };
      },
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

function must(words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(words[0] as string, words.slice(1), { encoding: "utf8" });
  if (status !== 0) throw new Error(`${words.join(" ")}: ${stderr}`);
  return stdout;
}

async function collect(stream: NodeJS.ReadableStream | null): Promise<string> {
  let text = "";
  for await (const chunk of stream ?? []) text += String(chunk);
  return text;
}

export async function waitFor(condition: () => boolean, ms = 15_000): Promise<void> {
  const end = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > end) throw new Error("it did not happen in time");
    await new Promise((done) => setTimeout(done, 20));
  }
}
