import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../../..");
/** An account without a name: what pages show must not hang on one. */
const USER = 61234;

/** A fresh home with a project folder in it, in which a page's commands run one after another. */
export class Page implements Disposable {
  private readonly base = mkdtempSync(join(tmpdir(), "brig-page-"));
  private readonly home = join(this.base, "home");
  private readonly folder = join(this.home, "project");
  private status = 0;

  constructor() {
    const own = [this.home, this.folder, join(this.base, "run"), join(this.base, "cache")];
    chmodSync(this.base, 0o755);
    for (const path of own) mkdirSync(path, { mode: path.startsWith(this.home) ? 0o755 : 0o700 });
    if (isRoot()) for (const path of own) chownSync(path, USER, USER);
    mkdirSync(join(this.base, "bin"));
    symlinkSync(join(ROOT, "dist", "brig"), join(this.base, "bin", "brig"));
  }

  /** Puts a file into the page's folder. */
  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text, { mode: name.endsWith(".sh") ? 0o755 : 0o644 });
  }

  /**
   * Runs a command as root or as an ordinary user; standard output and error as one, in lines, with the home and the
   * user's id as a reader would see them. `./brig`, which is a clone's, is brig here too.
   */
  run(command: string, asRoot: boolean): string[] {
    const identity = isRoot() && !asRoot ? { uid: USER, gid: USER } : {};
    const words = ["-c", `exec 2>&1\n(exit ${this.status})\n${command.replace(/^\.\/brig /, "brig ")}`];
    const ran = spawnSync("bash", words, { cwd: this.folder, env: this.environment(asRoot), encoding: "utf8", timeout: 60_000, stdio: ["ignore", "pipe", "pipe"], ...identity });
    if (ran.error) throw ran.error;
    this.status = ran.status ?? 125;
    const text = ran.stdout.replaceAll(this.home, "/home/you").replaceAll(String(USER), "1000");
    return text === "" ? [] : text.split("\n").slice(0, text.endsWith("\n") ? -1 : undefined);
  }

  private environment(asRoot: boolean): NodeJS.ProcessEnv {
    const home = { HOME: this.home, PATH: `${join(this.base, "bin")}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin` };
    const place = asRoot ? {} : { XDG_RUNTIME_DIR: join(this.base, "run") };
    return { ...home, ...place, XDG_CACHE_HOME: join(this.base, asRoot ? "cache-of-root" : "cache"), LANG: "C.UTF-8", TERM: "xterm", USER: asRoot ? "root" : "you", SHELL: "/bin/bash", COLUMNS: "100" };
  }

  [Symbol.dispose](): void {
    this.run("for id in $(brig ps -aq); do brig kill $id; brig wait $id; brig rm $id; done", false);
    rmSync(this.base, { recursive: true, force: true });
  }
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** The checkout. */
export const checkout = ROOT;
