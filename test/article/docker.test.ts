import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { findLauncher } from "../../src/launch/find-launcher.js";
import { startRegistry } from "../image/debian-registry.js";
import { debianRoot } from "../roots/debian-root.js";

/** `brig docker WORDS…` with a store of the test's own, which is gone with it. */
function openStore(t: TestContext) {
  const data = mkdtempSync("/tmp/brig-article-docker-");
  const env = { ...process.env, BRIG_DATA: data, BRIG_REGISTRIES_CONF: "/dev/null", LC_ALL: "C.UTF-8" };
  spawnSync("chmod", ["755", data]);
  const docker = (...words: string[]) => spawnSync(findLauncher(), ["docker", ...words], { encoding: "utf8", env, input: "", timeout: 60_000, cwd: "/" });
  const must = (...words: string[]): string => {
    const { status, stdout, stderr } = docker(...words);
    assert.equal(status, 0, `docker ${words.join(" ")}: ${stderr}`);
    return stdout;
  };
  t.after(() => {
    const left = docker("ps", "-aq").stdout.split("\n").filter(Boolean);
    if (left.length > 0) docker("rm", "-f", ...left);
    spawnSync(findLauncher(), ["network", "rm", "default"], { env });
    rmSync(data, { recursive: true, force: true });
  });
  return { docker, must, env };
}

/** On a terminal: what is shown so far, and a way to type. */
function onTerminal(t: TestContext, env: NodeJS.ProcessEnv, words: string[]) {
  const child = spawn("script", ["-qec", [findLauncher(), "docker", ...words].map((word) => `'${word}'`).join(" "), "/dev/null"], { env, stdio: ["pipe", "pipe", "inherit"] });
  let shown = "";
  child.stdout.on("data", (data: Buffer) => (shown += String(data)));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  t.after(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  return {
    ended,
    type: (text: string) => child.stdin.write(`${text}\n`),
    async see(pattern: RegExp): Promise<void> {
      for (let tries = 0; !pattern.test(shown); tries++) {
        if (tries > 1500 || child.exitCode !== null) throw new Error(`no ${pattern} in ${shown.slice(-1000)}`);
        await sleep(20);
      }
      shown = "";
    },
  };
}

test("the article's docker chapter: pull, images, run, ps, commit, rmi, stop, rm, -v, -p, -e DISPLAY, push and export", async (t) => {
  const root = debianRoot(t, "small");
  if (root === undefined) return;
  if (!existsSync("/usr/bin/docker-registry")) return t.skip("docker-registry is not installed");
  const registry = await startRegistry(t);
  const { docker, must, env } = openStore(t);
  const image = `${registry}/kali/linux-docker`;
  const tar = spawnSync("sh", ["-c", `tar -c --exclude=./usr/share/doc --exclude=./usr/share/locale --exclude=./var/lib/apt -C ${root} . | ${findLauncher()} docker import -c 'CMD ["bash"]' - ${image}`], { env, encoding: "utf8" });
  assert.equal(tar.status, 0, tar.stderr);
  must("push", image);
  must("rmi", image);

  assert.match(must("pull", image), /Pull complete|Downloaded newer image/);
  const [heading, line] = must("images").split("\n");
  assert.match(heading!, /^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE$/);
  assert.match(line!, new RegExp(`^${image} +latest +[0-9a-f]{12} +.* ago +[0-9.]+MB$`));

  const listing = onTerminal(t, env, ["run", "--rm", "-i", "-t", image, "ls"]);
  await listing.see(/bin.*etc.*usr/s);
  assert.equal(await listing.ended, 0);

  const shell = onTerminal(t, env, ["run", "-t", "-i", image, "/bin/bash"]);
  await shell.see(/root@[0-9a-f]{12}:\/# $/);
  const id = must("ps", "-q").trim();
  assert.match(must("ps"), new RegExp(`\n${id} +${image} +"/bin/bash" +.* ago +Up .* [a-z]+_[a-z]+\n$`));
  shell.type("echo changed >/root/file; cat /proc/net/dev");
  await shell.see(/eth0:/);
  must("commit", id, "new_image");
  assert.match(must("images", "new_image"), /\nnew_image +latest /);
  assert.equal(must("run", "--rm", "new_image", "cat", "/root/file"), "changed\n");
  assert.equal(must("stop", "-t", "1", id), `${id}\n`);
  await shell.ended;
  must("export", "-o", join(env.BRIG_DATA, "out.tar"), id);
  assert.match(spawnSync("tar", ["tf", join(env.BRIG_DATA, "out.tar")], { encoding: "utf8" }).stdout, /^root\/file$/m);
  assert.equal(must("rm", id), `${id}\n`);
  assert.equal(existsSync(join(env.BRIG_DATA, "containers", id)), false);

  must("tag", "new_image", `${registry}/new_image`);
  must("push", `${registry}/new_image`);
  const tags = (await (await fetch(`http://${registry}/v2/new_image/tags/list`)).json()) as { tags: string[] };
  assert.deepEqual(tags.tags, ["latest"]);
  assert.match(must("rmi", "new_image", `${registry}/new_image`), /Untagged: new_image:latest/);
  assert.equal(docker("run", "--pull", "never", "new_image").status, 125);

  const shared = join(env.BRIG_DATA, "temp");
  mkdirSync(shared);
  writeFileSync(join(shared, "note"), "on the host");
  assert.equal(must("run", "-i", "-v", `${shared}/:/home/`, image, "/bin/bash", "-c", "cat /home/note; echo inside >/home/made"), "on the host");
  assert.equal(readFileSync(join(shared, "made"), "utf8"), "inside\n");
  const server = "use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalPort => 80, Listen => 5, ReuseAddr => 1) or die $!; while (my $c = $s->accept) { print $c qq(HTTP/1.0 200 OK\\r\\n\\r\\nport 80); close $c }";
  must("run", "-d", "--name", "web", "-v", `${shared}/:/home/`, "-p", "4567:80", image, "perl", "-e", server);
  assert.match(must("ps"), /0\.0\.0\.0:4567->80\/tcp/);
  let answer = "";
  for (let tries = 0; answer === "" && tries < 200; tries++) answer = await fetch("http://127.0.0.1:4567/").then((each) => each.text(), () => sleep(50).then(() => ""));
  assert.equal(answer, "port 80");
  must("rm", "-f", "web");
});

test("-e DISPLAY -v /tmp/.X11-unix: a program in a container reaches the host's display", async (t) => {
  const root = debianRoot(t, "small");
  if (root === undefined) return;
  if (!existsSync("/usr/bin/Xvfb")) return t.skip("xvfb is not installed");
  const { must } = openStore(t);
  const display = 200 + (process.pid % 700);
  const server = spawn("Xvfb", [`:${display}`, "-ac", "-screen", "0", "320x200x24"], { stdio: "ignore" });
  const ended = new Promise<void>((resolve) => server.once("close", () => resolve()));
  t.after(async () => {
    server.kill("SIGTERM");
    await ended;
  });
  for (let tries = 0; tries < 300 && !existsSync(`/tmp/.X11-unix/X${display}`); tries++) await sleep(20);
  // the setup request of the X protocol, 11.0; the answer's first byte is 1 where the server lets the client in
  const client = "use IO::Socket::UNIX; my ($n) = $ENV{DISPLAY} =~ /:(\\d+)/; my $s = IO::Socket::UNIX->new(qq(/tmp/.X11-unix/X$n)) or die $!; syswrite $s, pack('axSSSSS', 'l', 11, 0, 0, 0, 0); sysread $s, my $r, 1; print ord $r";
  assert.equal(must("run", "--rm", "--rootfs", "-e", `DISPLAY=:${display}`, "-v", "/tmp/.X11-unix:/tmp/.X11-unix", root, "perl", "-e", client), "1");
});
