import assert from "node:assert/strict";
import { chmodSync, chownSync, existsSync, linkSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { identities, listOpen, openStage, SECRET, type Stage } from "./stage.js";

let stage: Stage;
before(() => void (stage = openStage()));
after(() => stage.close());

for (const who of identities)
  describe(`files, as ${who.name}`, { concurrency: 3 }, () => {
    const shows = async (options: string[], script: string, how = {}): Promise<string> => {
      const ran = await stage.sh(who, options, script, how);
      return ran.stdout.trim() || `status ${ran.code}`;
    };

    it("a file outside is not there", async () => {
      const ran = await stage.sh(who, [], `cat ${stage.secret}`);
      assert.equal(ran.code, 1);
      assert.match(ran.stderr, /No such file or directory/);
      assert.doesNotMatch(ran.stdout, new RegExp(SECRET));
    });

    it("the home is empty, private and writable, and gone on exit", async () => {
      const ran = await stage.sh(who, [], 'ls -A "$HOME"; echo mine > "$HOME/made" && cat "$HOME/made"');
      assert.deepEqual([ran.stdout, ran.code], ["mine\n", 0]);
      assert.deepEqual(readdirSync(stage.home(who)), [".secret"]);
    });

    it("no other home, no host's run folder, no host's temporary files are there", async () => {
      const mark = `/tmp/brig-walls-mark-${process.pid}-${who.name}`;
      writeFileSync(mark, SECRET);
      try {
        assert.equal(await shows([], `ls -A /tmp /run /home/*/ 2>/dev/null | grep -e mark -e secret -e docker -e brig-walls-mark; [ -e ${mark} ] && echo there; echo none`), "none");
      } finally {
        rmSync(mark);
      }
    });

    it("password hashes and host keys are not readable", async () => {
      assert.equal(await shows([], "cat /etc/shadow /etc/gshadow /etc/ssh/ssh_host_*_key 2>/dev/null | head -c 1; echo end"), "end");
    });

    it("the working folder can be read and not written", async () => {
      const ran = await stage.sh(who, [], "cat file; echo more >> file; touch new; rm -f file; mkdir folder");
      assert.equal(ran.stdout, "of the project\n");
      assert.equal(ran.stderr.match(/Read-only file system|Permission denied/g)?.length, 4);
      assert.deepEqual(readdirSync(stage.project(who)), ["file"]);
    });

    it("the system's folders cannot be written", async () => {
      assert.equal(await shows([], "for d in /usr /usr/bin /etc /opt /bin /lib; do touch $d/made 2>/dev/null && echo $d; done; echo none"), "none");
    });

    it("--write lets it change the working folder, and files made there are the caller's", async () => {
      const folder = join(stage.project(who), "../", `written-${who.name}`);
      mkdirSync(folder);
      chownSync(folder, who.uid, who.uid);
      const ran = await stage.sh(who, ["--write", "."], "echo made > new; mkdir -p a/b; ln -s new link; chmod 600 new; stat -c %u new", { cwd: folder });
      assert.equal(ran.code, 0, ran.stderr);
      assert.equal(readFileSync(join(folder, "new"), "utf8"), "made\n");
      assert.deepEqual([statSync(join(folder, "new")).uid, statSync(join(folder, "a/b")).uid], [who.uid, who.uid]);
      assert.equal(statSync(join(folder, "new")).mode & 0o7777, 0o600);
    });

    it("--write opens just that folder", async () => {
      const folder = join(stage.folder, `only-${who.name}`);
      mkdirSync(folder);
      chownSync(folder, who.uid, who.uid);
      assert.equal(await shows(["--write", folder], `touch ${folder}/new && echo in; touch file 2>/dev/null && echo project; touch ${stage.folder}/beside 2>/dev/null; echo end`), "in\nend");
      assert.ok(!existsSync(join(stage.folder, "beside")));
    });

    it("--read opens just that file, read-only", async () => {
      assert.equal(await shows(["--read", stage.secret], `cat ${stage.secret}; echo; ls ${stage.folder}/outside; echo x 2>/dev/null >> ${stage.secret} && echo written; echo end`), `${SECRET}\nsecret\nend`);
      assert.equal(readFileSync(stage.secret, "utf8"), SECRET);
    });

    it("--hide empties a folder and a file, and nothing beside them", async () => {
      const folder = join(stage.project(who), "../", `hide-${who.name}`);
      mkdirSync(join(folder, "secret"), { recursive: true });
      writeFileSync(join(folder, "secret/key"), SECRET);
      writeFileSync(join(folder, "token"), SECRET);
      writeFileSync(join(folder, "open"), "open");
      const script = "ls -A secret; cat secret/key token 2>/dev/null; cat open; echo; touch secret/x 2>/dev/null && echo written; echo x 2>/dev/null > token && echo written; echo end";
      assert.match(await shows(["--hide", join(folder, "secret"), "--hide", join(folder, "token")], script, { cwd: folder }), /^open\n(written\n)?end$/);
      assert.equal(readFileSync(join(folder, "token"), "utf8"), SECRET);
    });

    it("--tmpfs is an empty folder in memory, of that size", async () => {
      const script = "ls -A /cache; cd /cache && echo x > y && cat y; head -c 3000000 /dev/zero 2>/dev/null > big; stat -c %s big; [ $(stat -f -c %T .) = tmpfs ] && echo tmpfs";
      assert.match(await shows(["--tmpfs", "/cache:size=1MiB"], script), /^x\n1(04\d{4}|03\d{4})\ntmpfs$/);
    });

    it("--bind shows a folder at another place, with :ro only to read", async () => {
      const folder = join(stage.folder, `bound-${who.name}`);
      mkdirSync(folder);
      chownSync(folder, who.uid, who.uid);
      writeFileSync(join(folder, "x"), "x");
      assert.equal(await shows(["--bind", `${folder}:/there`], `cat /there/x; touch /there/new && echo written; ls ${folder} 2>/dev/null; echo end`), "xwritten\nend");
      assert.equal(await shows(["--bind", `${folder}:/there:ro`], "cat /there/x; touch /there/other 2>/dev/null && echo written; echo end"), "xend");
      assert.deepEqual(readdirSync(folder).sort(), ["new", "x"]);
    });

    it("a link in the project leads nowhere outside", async () => {
      const folder = join(stage.folder, `links-${who.name}`);
      mkdirSync(folder);
      chownSync(folder, who.uid, who.uid);
      symlinkSync(stage.secret, join(folder, "file"));
      symlinkSync(join(stage.folder, "outside"), join(folder, "folder"));
      symlinkSync("../outside/secret", join(folder, "relative"));
      symlinkSync("/proc/1/root", join(folder, "root"));
      const script = "cat file relative folder/secret root/etc/shadow 2>/dev/null; echo x 2>/dev/null > file; ls folder/ 2>/dev/null; echo end";
      assert.equal(await shows(["--write", "."], script, { cwd: folder }), "end");
      assert.equal(readFileSync(stage.secret, "utf8"), SECRET);
    });

    it("a file outside cannot be linked into the project, nor across mounts", async () => {
      const script = `ln ${stage.secret} here 2>/dev/null && echo linked; ln /etc/passwd here 2>/dev/null && echo crossed; ln file $HOME/f 2>/dev/null && echo out; echo end`;
      assert.equal(await shows(["--write", "."], script), "end");
    });

    it("a hard link in the project shows what it links, and a read-only project keeps it from being changed", async () => {
      const folder = join(stage.folder, `hard-${who.name}`);
      mkdirSync(folder);
      writeFileSync(join(stage.folder, `hard-${who.name}-outside`), "kept");
      chownSync(join(stage.folder, `hard-${who.name}-outside`), who.uid, who.uid);
      linkSync(join(stage.folder, `hard-${who.name}-outside`), join(folder, "link"));
      assert.equal(await shows([], "cat link; chmod 777 link 2>/dev/null; echo x 2>/dev/null > link; echo", { cwd: folder }), "kept");
      assert.equal(readFileSync(join(stage.folder, `hard-${who.name}-outside`), "utf8"), "kept");
    });

    it("no folder above, descriptor or handle leads out of the root", async () => {
      const answers = await stage.ask(who, [], "climb-out", [stage.secret]);
      assert.deepEqual(listOpen(answers), []);
      assert.equal(answers["dot dot"], "ENOENT", "above everything is the sandbox's root");
      assert.match(answers["handle"] ?? "", /EPERM|ENOSYS/);
    });

    it("the working folder may not lead out through /proc", async () => {
      for (const link of ["/proc/self/fd/0", "/proc/self/cwd", "/proc/self/root", "/proc/1/root", "/proc/1/cwd"]) {
        const ran = await stage.run(who, ["--cwd", link], ["pwd"]);
        assert.deepEqual([ran.code, ran.stdout], [125, ""], link);
      }
    });

    it("descriptors of the caller do not come along", async () => {
      const ran = await stage.run(who, [], [await stage.fixture("descriptors")], { stdio: ["pipe", "pipe", "pipe", "ignore", "ignore", "ignore", "ignore"] });
      assert.equal(ran.stdout, "0 1 2\n");
    });

    it("TMPDIR is private, also when the caller's is elsewhere", async () => {
      const folder = join(stage.folder, `tmp-${who.name}`);
      mkdirSync(folder);
      chmodSync(folder, 0o777);
      writeFileSync(join(folder, "secret"), SECRET);
      const out = await shows([], 'ls -A "${TMPDIR:-/tmp}"; mktemp >/dev/null && echo made', { env: { TMPDIR: folder } });
      assert.equal(out, "made");
      assert.deepEqual(readdirSync(folder), ["secret"]);
    });

    it("the environment is a short list, and --env and --inherit-env open it", async () => {
      const env = { SECRET_TOKEN: "x", LD_PRELOAD_NOT: "y", SSH_AUTH_SOCK: "/z" };
      const names = async (options: string[]): Promise<string[]> =>
        (await stage.run(who, options, ["/usr/bin/env"], { env })).stdout.split("\n").map((line) => line.replace(/=.*/, "")).filter((name) => name in env).sort();
      assert.deepEqual(await names([]), []);
      assert.deepEqual(await names(["--env", "SECRET_TOKEN"]), ["SECRET_TOKEN"]);
      assert.deepEqual(await names(["--inherit-env"]), ["LD_PRELOAD_NOT", "SECRET_TOKEN", "SSH_AUTH_SOCK"]);
    });

    it("--root shows that folder and nothing of the host", async () => {
      const root = join(stage.folder, `root-${who.name}`);
      mkdirSync(join(root, "bin"), { recursive: true });
      for (const name of ["dev", "proc", "tmp", "run", "var/tmp", "etc"]) mkdirSync(join(root, name), { recursive: true });
      const program = await stage.fixture("climb-out");
      writeFileSync(join(root, "bin/climb-out"), readFileSync(program), { mode: 0o755 });
      const ran = await stage.brigAs(who, ["run", "--root", root, "--", "/bin/climb-out", "/usr/bin/env"]);
      assert.match(ran.stdout, /^dot dot: ENOENT$/m, ran.stderr);
      assert.doesNotMatch(ran.stdout, /: ok$/m);
    });
  });
