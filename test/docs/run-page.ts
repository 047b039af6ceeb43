import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../../..");
/** An account without a name: what pages show must not hang on one. */
const USER = 61234;

/** A fresh home with a project folder in it, in which a page's commands run one after another. */
export class Page implements Disposable {
  private readonly home = mkdtempSync(join(tmpdir(), "brig-page-"));
  private readonly folder = join(this.home, "project");
  private status = 0;

  constructor() {
    for (const path of [this.folder, join(this.home, "bin"), join(this.home, "run")]) mkdirSync(path, { mode: 0o755 });
    symlinkSync(join(ROOT, "dist", "brig"), join(this.home, "bin", "brig"));
    symlinkSync(join(ROOT, "dist", "brig"), join(this.folder, "brig"));
    chmodSync(this.home, 0o755);
    chmodSync(join(this.home, "run"), 0o700);
    if (isRoot()) for (const path of [this.home, this.folder, join(this.home, "run")]) chownSync(path, USER, USER);
  }

  /** Puts a file into the page's folder. */
  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text, { mode: name.endsWith(".sh") ? 0o755 : 0o644 });
  }

  /** Runs a command as root or as an ordinary user; standard output and error as one, in lines. */
  run(command: string, asRoot: boolean): string[] {
    const identity = isRoot() && !asRoot ? { uid: USER, gid: USER } : {};
    const words = ["-c", `exec 2>&1\n(exit ${this.status})\n${command}`];
    const ran = spawnSync("bash", words, { cwd: this.folder, env: this.environment(asRoot), encoding: "utf8", timeout: 60_000, stdio: ["ignore", "pipe", "pipe"], ...identity });
    if (ran.error) throw ran.error;
    this.status = ran.status ?? 125;
    return ran.stdout.split("\n").slice(0, ran.stdout.endsWith("\n") ? -1 : undefined);
  }

  private environment(asRoot: boolean): NodeJS.ProcessEnv {
    const home = { HOME: this.home, PATH: `${join(this.home, "bin")}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin` };
    const place = asRoot ? {} : { XDG_RUNTIME_DIR: join(this.home, "run") };
    return { ...home, ...place, XDG_CACHE_HOME: join(this.home, asRoot ? ".cache-root" : ".cache"), LANG: "C.UTF-8", TERM: "xterm", USER: asRoot ? "root" : "you", SHELL: "/bin/bash", COLUMNS: "100" };
  }

  [Symbol.dispose](): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** The checkout. */
export const checkout = ROOT;
