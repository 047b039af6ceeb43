import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { makeName, makePerson, people } from "../sandbox/stage.js";
import { busyboxRoot } from "./busybox-root.js";

const SCRIPT = "mkdir -p /d/full /opq; echo hi >/d/made; chmod 4755 /d/made; ln -s /etc/shadow /d/out; ln /d/made /d/hard; rm /etc/group; rm -r /var; mkdir /var; echo x >/var/x; touch /ready; sleep 1000";

/** A container that has changed something, in a data folder of its own. */
function stage(t: TestContext, who: "root" | "user") {
  const root = busyboxRoot(t);
  if (root === undefined) return undefined;
  mkdirSync(join(root, "var/old"));
  // first: what is registered first is done first, and the person's folder goes with the person
  let end = (): void => undefined;
  t.after(() => end());
  const home = makePerson(t, who).home;
  chmodSync(home, 0o755);
  const person = makePerson(t, who, { BRIG_DATA: `${home}/data` });
  if (process.getuid?.() === 0) spawnSync("chown", ["-hR", `${person.uid}:${person.uid}`, root]);
  const name = makeName();
  const docker = (...words: string[]) => person.brig("docker", ...words);
  const must = (...words: string[]): string => {
    const { status, stdout, stderr } = docker(...words);
    assert.equal(status, 0, `${words.join(" ")}: ${stderr}`);
    return stdout;
  };
  end = () => void docker("rm", "-f", name);
  must("run", "-d", "--rootfs", "--network", "none", "--name", name, root, "sh", "-c", SCRIPT);
  while (docker("exec", name, "ls", "/ready").status !== 0);
  return { ...person, name, docker, must, root };
}

for (const who of people) {
  test(`${who}: files go both ways between host and container, running or not, and no link leads out`, (t) => {
    const at = stage(t, who);
    if (!at) return;
    const { name, must, docker, home } = at;
    const mine = (path: string): string => join(home, path);
    const user = (path: string): void => void (process.getuid?.() === 0 && spawnSync("chown", ["-hR", `${at.uid}:${at.uid}`, path]));
    mkdirSync(mine("in/sub"), { recursive: true });
    writeFileSync(mine("in/sub/f"), "from the host\n");
    user(mine("in"));
    for (const state of ["running", "stopped"]) {
      if (state === "stopped") {
        must("kill", name);
        must("wait", name);
      }
      must("cp", `${name}:/d`, mine(state));
      assert.deepEqual([readFileSync(mine(`${state}/made`), "utf8"), statSync(mine(`${state}/made`)).mode & 0o7777, statSync(mine(`${state}/made`)).uid], ["hi\n", 0o755, at.uid], "nobody's setuid program comes out");
      assert.equal(lstatSync(mine(`${state}/out`)).isSymbolicLink(), true, "a link stays a link");
      assert.equal(statSync(mine(`${state}/made`)).ino, statSync(mine(`${state}/hard`)).ino);
      must("cp", mine("in/."), `${name}:/${state}`);
      must("cp", `${name}:/${state}/sub/f`, mine(`${state}-back`));
      assert.equal(readFileSync(mine(`${state}-back`), "utf8"), "from the host\n");
      must("cp", mine("in/sub/f"), `${name}:/${state}/renamed`);
      assert.equal(spawnSync("tar", ["t"], { input: Buffer.from(docker("cp", `${name}:/${state}`, "-").stdout, "utf8"), encoding: "utf8" }).stdout, `${state}/\n${state}/sub/\n${state}/sub/f\n${state}/renamed\n`.split("\n").slice(0, 5).join("\n"), state);
      assert.match(docker("cp", `${name}:/nothing`, mine("x")).stderr, /no such file or directory/);
      assert.equal(docker("cp", `${name}:/d`, mine(`${state}-back`)).status, 1, "a folder does not replace a file");
      assert.equal(docker("cp", mine("in/sub/f"), `${name}:/nothing/x`).status, 1);
    }
    assert.equal(existsSync(join(at.root, "d")), false, "the image is as it was");
  });

  test(`${who}: a link that a container swaps in reaches nothing of the host`, (t) => {
    const at = stage(t, who);
    if (!at) return;
    const secret = join(at.home, "secret");
    mkdirSync(secret);
    writeFileSync(join(secret, "key"), "secret");
    chmodSync(secret, 0o777);
    at.must("exec", at.name, "sh", "-c", `ln -s ${secret} /link; ln -s ${secret}/key /key; ln -s /proc/self/root/${secret} /proc-link`);
    for (const path of ["/link/key", "/proc-link/key", `/..${secret}/key`]) assert.equal(at.docker("cp", "-L", `${at.name}:${path}`, join(at.home, "got")).status, 1, path);
    assert.equal(at.docker("cp", "-L", `${at.name}:/key`, join(at.home, "got")).status, 1);
    writeFileSync(join(at.home, "bait"), "bait");
    at.docker("cp", join(at.home, "bait"), `${at.name}:/link/key`);
    at.docker("cp", join(at.home, "bait"), `${at.name}:/key`);
    assert.equal(readFileSync(join(secret, "key"), "utf8"), "secret");
    symlinkSync(secret, join(at.home, "host-link"));
    assert.equal(existsSync(join(at.home, "got")), false);
  });

  test(`${who}: diff tells what changed, export holds the root, and a commit is an image with the change`, (t) => {
    const at = stage(t, who);
    if (!at) return;
    const { name, must, home } = at;
    assert.equal(must("diff", name), "A /d\nA /d/full\nA /d/hard\nA /d/made\nA /d/out\nC /etc\nD /etc/group\nA /opq\nA /ready\nC /var\nA /var/x\n");
    must("export", "-o", join(home, "root.tar"), name);
    const listed = spawnSync("tar", ["tf", join(home, "root.tar")], { encoding: "utf8" }).stdout.split("\n");
    for (const [path, isThere] of [["d/made", true], ["var/x", true], ["bin/busybox", true], ["etc/group", false], ["var/old/", false], ["proc/self", false]] as const) assert.equal(listed.includes(path), isThere, path);
    const base = must("commit", name, "base:1").trim();
    assert.match(base, /^sha256:[0-9a-f]{64}$/);
    const [one, two] = [makeName(), makeName()];
    must("run", "--name", one, "--network", "none", "base:1", "sh", "-c", "cat /d/made; rm -r /d /var; mkdir /var; echo new >/var/new; echo more >/etc/more");
    const id = must("commit", "-m", "why", "-a", "me", "-c", 'CMD ["cat","/etc/more"]', "-c", "ENV A=b", one, "change").trim();
    assert.equal(must("run", "--rm", "--name", two, "--network", "none", "change"), "more\n");
    assert.equal(must("run", "--rm", "--name", two, "--network", "none", "change", "sh", "-c", "ls -d /d /var/x 2>&1; ls /var; echo $A"), "ls: /d: No such file or directory\nls: /var/x: No such file or directory\nnew\nb\n");
    const [told] = JSON.parse(must("image", "inspect", id)) as { RootFS: { Layers: string[] }; Author: string; Comment: string }[];
    assert.deepEqual([told!.RootFS.Layers.length, told!.Author, told!.Comment], [2, "me", "why"]);
    assert.match(must("ps", "--filter", `name=${name}`), /Up/, "it runs on after the commit");
    must("rm", one);
    must("rmi", "change", "base:1");
  });
}
