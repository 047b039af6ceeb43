import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { test } from "node:test";

const brig = resolve("dist/brig");
const UID = 4715;
/** So many at a time: most of a run is waiting for one processor. */
const AT_ONCE = 2;

/** What is done with each program under Debian's profile for it; %URL is a server's of the test. */
const PROGRAMS: Record<string, string> = {
  ar: "ar p lib.a text", strings: "strings data", b2sum: "b2sum text", cksum: "cksum text", md5sum: "md5sum -c sums", sha1sum: "sha1sum text", sha224sum: "sha224sum text",
  sha256sum: "sha256sum text", sha384sum: "sha384sum text", sha512sum: "sha512sum text", sum: "sum text",
  bzip2: "bzip2 -c text", bunzip2: "bunzip2 -c text.bz2", bzcat: "bzcat text.bz2", gzip: "gzip -nc text", gunzip: "gunzip -c text.gz", zcat: "zcat text.gz",
  zgrep: "zgrep second text.gz",
  xz: "xz -c text", unxz: "unxz -c text.xz", xzcat: "xzcat text.xz", lzma: "lzma -c text", lzcat: "lzcat text.lzma", unlzma: "unlzma -c text.lzma",
  zstd: "zstd -qc text", unzstd: "unzstd -c text.zst", zstdcat: "zstdcat text.zst", tar: "tar -xOf all.tar text", unzip: "unzip -p all.zip text",
  file: "file -b all.tar", xxd: "xxd text", patch: "patch -s -o - text change", less: "less text", git: "git --no-pager log --format=%s", gpg: "gpg --print-md sha256 text",
  curl: "curl -s %URL/text", wget: "wget -qO- %URL/text", node: "node -e console.log(6*7,require('fs').readFileSync('text','utf8'))", make: "make -s -f makefile", vim: "vim -u NONE -es -c %print -c q! text",
  ssh: "ssh -F config -G elsewhere", "ssh-agent": "ssh-agent -c true", man: "man -l page.1",
  cpio: "cpio -i --quiet --to-stdout text -F all.cpio", bsdtar: "bsdtar -xOf all.tar text", w3m: "w3m -dump %URL/text", exiftool: "exiftool -s -FileType -MIMEType picture.gif",
  pdftotext: "pdftotext -v", "7z": "7z l -ba all.zip", aria2c: "aria2c -q --allow-overwrite=true --file-allocation=none -o got %URL/text",
};

/** Made without a sandbox; lines whose tools are missing leave their programs out. */
const SET_UP = `
printf 'brig forty\\nsecond line\\n' > text; printf 'brig forty\\nanother line\\n' > other; printf '\\001\\002printable words\\000\\003' > data
ar rc lib.a text; md5sum text > sums; bzip2 -k text; gzip -nk text other; xz -k text; lzma -k text; zstd -qk text; tar -cf all.tar text; zip -q all.zip text
diff -u text other > change; git init -q . ; git -c user.name=n -c user.email=e commit -q --allow-empty -m 'the only commit'
printf 'all:\\n\\t@echo made by make\\n' > makefile; printf '.TH BRIG 1\\n.SH NAME\\nbrig \\\\- forty\\n' > page.1; printf 'Host elsewhere\\n  User somebody\\n  Port 2222\\n' > config
printf text | cpio -o --quiet > all.cpio; printf 'GIF89a\\001\\000\\001\\000\\000\\000\\000;' > picture.gif
true`;

interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Asynchronous, so that the test's own server can answer. */
function run(words: string[], home: string): Promise<Outcome> {
  const env = { HOME: home, PATH: "/usr/bin:/bin", SHELL: "/bin/bash", TERM: "dumb", LANG: "C.UTF-8", BRIG_NO_CACHE: "1", GIT_CONFIG_NOSYSTEM: "1", SSH_AUTH_SOCK: "" };
  const child = spawn("setpriv", [`--reuid=${UID}`, `--regid=${UID}`, "--clear-groups", ...words], { cwd: home, env, stdio: ["ignore", "pipe", "pipe"], timeout: 60_000 });
  const said = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  child.stdout.on("data", (bytes: Buffer) => said.stdout.push(bytes));
  child.stderr.on("data", (bytes: Buffer) => said.stderr.push(bytes));
  return new Promise((done, fail) => {
    child.on("error", fail);
    child.on("close", (status) => done({ status, stdout: Buffer.concat(said.stdout).toString("latin1"), stderr: Buffer.concat(said.stderr).toString("latin1") }));
  });
}

/** What differs from one run to the next by nature. */
const steady = (text: string): string => text.replaceAll(/agent\.\d+|\b\d{4,}\b|ssh-\w{6,}/g, "#");

function listTried(): [name: string, words: string][] {
  const isThere = (name: string): boolean => spawnSync("sh", ["-c", `command -v -- ${name}`], { env: { PATH: "/usr/bin:/bin" } }).status === 0;
  return Object.entries(PROGRAMS).filter(([name]) => existsSync(`/etc/firejail/${name}.profile`) && isThere(name));
}

test("under Debian's profile for it, each of forty programs does what it does without", async (t) => {
  if (process.geteuid?.() !== 0 || !existsSync(brig)) return t.skip("needs root to act as an ordinary user, and a built launcher");
  const tried = listTried();
  if (tried.length < 40) return t.skip(`firejail-profiles and forty programs are needed, and there are ${tried.length}`);
  const home = mkdtempSync("/home/brig-forty-");
  const server = createServer((_request, answer) => answer.end("brig forty\nsecond line\n")).listen(0, "127.0.0.1");
  t.after(() => {
    server.close();
    rmSync(home, { recursive: true, force: true });
    rmSync(`/tmp/brig-${UID}`, { recursive: true, force: true });
  });
  mkdirSync(join(home, ".ssh"));
  writeFileSync(join(home, ".ssh/secret"), "not for them");
  assert.equal(spawnSync("sh", ["-c", SET_UP], { cwd: home, encoding: "utf8" }).status, 0);
  spawnSync("chown", ["-R", `${UID}:${UID}`, home]);
  if (!server.listening) await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const failed: string[] = [];
  const queue = [...tried];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const words = next[1].split(" ").map((word) => word.replace("%URL", url));
      const plain = await run(words, home);
      const jailed = await run([brig, "firejail", "--quiet", ...words], home);
      const same = jailed.status === plain.status && steady(jailed.stdout) === steady(plain.stdout) && (plain.stdout !== "" || plain.stderr !== "" || next[0] === "aria2c");
      if (!same) failed.push(`${next[1]}: status ${jailed.status} for ${plain.status}, ${JSON.stringify(jailed.stdout.slice(0, 200))} for ${JSON.stringify(plain.stdout.slice(0, 200))}, ${jailed.stderr.slice(0, 300)}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  assert.deepEqual(failed, []);
  // its profile hides the shell that it is written for: firejail says no more
  const script = await run([brig, "firejail", "--quiet", "xzgrep", "second", "text.xz"], home);
  assert.deepEqual([script.status, /Permission denied/.test(script.stderr)], [1, true]);
  t.diagnostic(`${tried.length} programs: ${tried.map(([name]) => name).join(" ")}`);
});
