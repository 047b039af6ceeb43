import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { findLauncher } from "../../../src/launch/find-launcher.js";
import { debianRoot } from "../../roots/debian-root.js";
import { freshName, nspawn, ran } from "./nspawn.js";

function makeFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "brig-nspawn-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const LOOK = `
env | grep -v -e container_uuid -e ^_= | sort
echo "-- dev"; ls /dev | sort | tr '\\n' ' '; echo
echo "-- host"; ls /run/host | sort | tr '\\n' ' '; echo
echo "-- manager"; cat /run/host/container-manager
echo "-- who"; id -u; pwd; hostname; echo $$
echo "-- bounds"; grep -E '^(NoNewPrivs|CapAmb|Seccomp):' /proc/self/status
echo "-- ro"; for f in /proc/sys/kernel/panic /proc/sysrq-trigger /sys/kernel/uevent_seqnum; do test -w $f && (echo 1 > $f) 2>/dev/null && echo open $f; done
echo "-- types"; stat -f -c %T /tmp /dev /dev/shm /run /proc /sys
`;

test("a payload sees what it sees in systemd-nspawn", (t) => {
  const root = debianRoot(t, "small");
  if (root === undefined) return;
  const name = freshName("look");
  const common = ["-q", "--pipe", "--volatile=overlay", "-M", name, "-D", root];
  const real = ran("systemd-nspawn", ["--register=no", "--keep-unit", ...common, "/bin/sh", "-c", LOOK], { SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1" });
  rmSyncQuietly(`/run/systemd/nspawn/propagate/${name}`);
  if (real.status !== 0) return t.skip(`systemd-nspawn cannot run here: ${real.stderr}`);
  const ours = nspawn(...common, "/bin/sh", "-c", LOOK);
  assert.equal(ours.status, 0, ours.stderr);
  const [mine, theirs] = [split(ours.stdout), split(real.stdout)];
  // names for what other device nodes are, and a place for nodes that need the host's root
  const added = new Set(["char", "net", "mqueue"]);
  assert.deepEqual(words(mine["dev"]).filter((each) => each !== "core" && !added.has(each)), words(theirs["dev"]).filter((each) => each !== "core" && !added.has(each)));
  for (const each of ["container-manager", "container-uuid", "incoming", "notify", "os-release"]) assert.ok(words(mine["host"]).includes(each) && words(theirs["host"]).includes(each), each);
  for (const part of ["env", "manager", "who", "bounds", "ro", "types"]) assert.deepEqual(mine[part], theirs[part], part);
});

function rmSyncQuietly(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // it was not made
  }
}

function split(text: string): Record<string, string> {
  const parts = `-- env\n${text}`.split(/^-- (\w+)\n/m).slice(1);
  return Object.fromEntries(parts.flatMap((part, index) => (index % 2 === 0 ? [[part, parts[index + 1]!]] : [])));
}

function words(text = ""): string[] {
  return text.trim().split(/\s+/);
}

test("the machine's root is nobody on the host, and owners are as they were", (t) => {
  const root = debianRoot(t, "small");
  if (root === undefined) return;
  const folder = makeFolder(t);
  writeFileSync(join(folder, "given"), "");
  const script = "cat /proc/self/uid_map; stat -c %u /etc/passwd /data/given; touch /data/made; chown 5 /data/made; mknod /tmp/n c 1 3 2>&1";
  const { stdout, status } = nspawn("-qPxD", root, `--bind=${folder}:/data`, "/bin/sh", "-c", script);
  const [map, ...rest] = stdout.trim().split("\n");
  assert.equal(status, 1);
  assert.match(map!, /^\s*0\s+\d{6,}\s+65536$/);
  assert.deepEqual(rest.slice(0, 2), ["0", "0"]);
  assert.match(rest[2]!, /Operation not permitted/);
  assert.equal(statSync(join(folder, "made")).uid, 5);
  const bare = nspawn("-qPD", root, "--read-only", "--private-users=no", "/bin/sh", "-c", "cat /proc/self/uid_map; grep CapBnd /proc/self/status");
  assert.match(bare.stdout, /^\s+0\s+0\s+4294967295\n/);
  // CAP_MKNOD is bit 27: without a user namespace a node would lead to the host's disks
  assert.equal((BigInt(`0x${/CapBnd:\s*([0-9a-f]+)/.exec(bare.stdout)![1]}`) >> 27n) & 1n, 0n);
});

test("calls, rights, limits and identity are as asked for", (t) => {
  const root = debianRoot(t, "small");
  if (root === undefined) return;
  const asked = nspawn(
    "-qPxD", root, "-u", "daemon", "--chdir=/usr", "-E", "A=b c", "--rlimit=nofile=100:200", "--oom-score-adjust=500", "--cpu-affinity=0", "--no-new-privileges=yes",
    "--hostname=other", "--uuid=11111111222233334444555555555555", "--ambient-capability=CAP_NET_BIND_SERVICE",
    "/bin/sh", "-c", "id -un; pwd; echo $A; ulimit -Sn; ulimit -Hn; cat /proc/self/oom_score_adj; nproc; hostname; cat /run/host/container-uuid; grep -E 'NoNewPrivs|CapAmb' /proc/self/status; cat /proc/sys/kernel/random/boot_id",
  );
  assert.equal(asked.status, 0, asked.stderr);
  const lines = asked.stdout.trim().split("\n");
  assert.deepEqual(lines.slice(0, -1), ["daemon", "/usr", "b c", "100", "200", "500", "1", "other", "11111111-2222-3333-4444-555555555555", "CapAmb:\t0000000000000400", "NoNewPrivs:\t1"]);
  assert.match(lines.at(-1)!, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.notEqual(lines.at(-1), readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
  const refused = nspawn("-qPxD", root, "--system-call-filter=~@chown mkdir", "--drop-capability=CAP_SYS_CHROOT", "/bin/sh", "-c", "mkdir /a; chown 1 /tmp; chroot / true; echo over");
  assert.equal(refused.stdout, "over\n");
  assert.equal(refused.stderr.match(/Operation not permitted/g)?.length, 3, refused.stderr);
});

test("changes are kept, thrown away, or impossible, as the root was asked for", (t) => {
  const root = debianRoot(t, "small");
  if (root === undefined) return;
  const folder = makeFolder(t);
  for (const name of ["low", "up"]) mkdirSync(join(folder, name));
  writeFileSync(join(folder, "low/l"), "l");
  const script = "touch /new 2>/dev/null; echo $?; ls /var | wc -l; test -e /etc/debian_version; echo $?";
  for (const [word, expected] of [["--read-only", /^1\n[1-9]\d*\n0\n$/], ["-x", /^0\n[1-9]\d*\n0\n$/], ["--volatile=overlay", /^0\n[1-9]\d*\n0\n$/], ["--volatile=state", /^1\n0\n0\n$/]] as const)
    assert.match(nspawn("-qPD", root, word, "/bin/sh", "-c", script).stdout, expected, word);
  assert.equal(existsSync(join(root, "new")), false);
  const mounts = nspawn(
    "-qPxD", root, `--overlay=${folder}/low:${folder}/up:/ov`, `--overlay=${folder}/low::/scratch`, `--bind-ro=${folder}/low:/ro`, "--tmpfs=/mem:size=1m", "--inaccessible=/etc/debian_version",
    "--set-credential=a:b\\nc", `--load-credential=l:${folder}/low/l`, "--bind=-/nonexistent/x:/y",
    "/bin/sh", "-c", "rm /ov/l; echo n > /ov/n; echo s > /scratch/s; ls /scratch; touch /ro/x 2>/dev/null; echo $?; df --output=size /mem | tail -1; cat /etc/debian_version; cat $CREDENTIALS_DIRECTORY/a; echo; cat $CREDENTIALS_DIRECTORY/l; touch $CREDENTIALS_DIRECTORY/z 2>/dev/null; echo $?; test -e /y; echo $?",
  );
  assert.equal(mounts.stdout.replace(/ +/g, ""), "l\ns\n1\n1024\nb\nc\nl1\n1\n", mounts.stderr);
  assert.equal(readFileSync(join(folder, "up/n"), "utf8"), "n\n");
  assert.ok(statSync(join(folder, "up/l")).isCharacterDevice(), "a whiteout");
  assert.deepEqual(readFileSync(join(folder, "low/l"), "utf8"), "l");
});

test("it says what systemd-nspawn says, and exits as it does", (t) => {
  const root = debianRoot(t, "small");
  if (root === undefined) return;
  const name = freshName("said");
  const start = ["-xD", root, "-M", name];
  assert.equal(nspawn(...start, "/bin/true").stderr, `Spawning container ${name} on ${root}.\nContainer ${name} exited successfully.\n`);
  const failed = nspawn(...start, "/bin/sh", "-c", "exit 7");
  assert.deepEqual([failed.status, failed.stderr.split("\n")[1]], [7, `Container ${name} failed with error code 7.`]);
  const missing = nspawn(...start, "/no/such/program");
  assert.deepEqual([missing.status, missing.stderr.includes("execv(/no/such/program) failed: No such file or directory")], [1, true]);
  const cases: [string[], RegExp][] = [
    [["-D", "/nonexistent"], /Failed to resolve path \/nonexistent: No such file or directory/],
    [["-D", "/etc"], /doesn't look like it has an OS tree/],
    [["-bD", "/usr"], /doesn't look like an OS root directory/],
    [["-D", "/"], /Spawning container on root directory is not supported/],
    [[...start, "-u", "nobody2", "true"], /Failed to resolve user nobody2/],
    [[...start, "--network-bridge=nobridge", "true"], /no bridge nobridge/],
    [[...start, "-p", "80", "true"], /without private networking/],
    [[...start, "--system-call-filter=frobnicate", "true"], /System call frobnicate is not known/],
    [[...start, "--bind=/nonexistent", "true"], /Failed to stat \/nonexistent/],
  ];
  for (const [line, expected] of cases) {
    const { status, stderr } = nspawn(...line);
    assert.match(stderr, expected, line.join(" "));
    assert.equal(status, 1, line.join(" "));
  }
});

test("two cannot have one tree to write, and many can have one that none writes", (t) => {
  const root = debianRoot(t, "small");
  if (root === undefined) return;
  const folder = makeFolder(t);
  const inner = nspawn("-qPD", root, "--read-only", "-M", freshName("a"), "/bin/true");
  assert.equal(inner.status, 0);
  const tree = join(folder, "tree");
  assert.equal(ran("cp", ["-a", "--reflink=auto", root, tree]).status, 0);
  const lock = ran("flock", [tree, "sh", "-c", `"$0" nspawn -qPD ${tree} /bin/true; echo "= $?"; "$0" nspawn -qP --read-only -D ${tree} /bin/true; echo "= $?"`, findLauncher()]);
  assert.match(lock.stderr, /Directory tree .* is currently busy/);
  assert.equal(lock.stdout, "= 1\n= 1\n");
});

test("an ordinary user's own root runs with his ids, and a user of the host is bound into root's machine", (t) => {
  const root = debianRoot(t, "small");
  if (root === undefined) return;
  const name = `brignsp${process.pid}`;
  if (ran("useradd", ["-m", name]).status !== 0) return t.skip("no user can be added");
  t.after(() => void ran("userdel", ["-r", name]));
  ran("usermod", ["--add-subuids", "800000-865535", "--add-subgids", "800000-865535", name]);
  const id = Number(ran("id", ["-u", name]).stdout);
  const group = Number(ran("id", ["-g", name]).stdout);
  const home = `/home/${name}`;
  const bound = nspawn("-qPxD", root, `--bind-user=${name}`, "/bin/sh", "-c", `stat -c %u /run/host/home/${name}; grep -c homeDirectory /run/host/userdb/60514.user`);
  assert.equal(bound.stdout, "60514\n1\n", bound.stderr);
  const tree = join(home, "tree");
  ran("cp", ["-a", "--reflink=auto", root, tree]);
  ran("chown", ["-R", `${id}:${group}`, tree]);
  const own = ran(findLauncher(), ["nspawn", "-qPD", tree, "/bin/sh", "-c", "id -u; touch /made; chown 7 /made; cat /proc/self/uid_map"], { HOME: home, XDG_RUNTIME_DIR: home, XDG_CACHE_HOME: home }, { uid: id, gid: group });
  assert.equal(own.status, 0, own.stderr);
  assert.equal(own.stdout.replace(/ +/g, " "), `0\n 0 ${id} 1\n 1 ${statSync(join(tree, "made")).uid - 6} 65535\n`, own.stderr);
  assert.ok(statSync(join(tree, "made")).uid >= 65536, "a subordinate id");
});
