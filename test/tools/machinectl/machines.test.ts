import assert from "node:assert/strict";
import test from "node:test";
import { needsRoot } from "../../article/brig.js";
import { copyDebianRoot, debianRoot } from "../../roots/debian-root.js";
import { runOurs } from "./private-host.js";

/** An image of that name that is thrown away, over the root that all tests share. */
function layImage(root: string, name: string): string {
  return `mkdir -p /mnt/up /mnt/work.${name} /var/lib/machines/${name}; mount -t overlay overlay -o lowerdir='${root}',upperdir=/mnt/up,workdir=/mnt/work.${name} /var/lib/machines/${name}\n`;
}

const AWAIT = 'await() { for i in $(seq 80); do machinectl shell brigm1 /bin/systemctl is-system-running 2>/dev/null | grep -q "running\\|degraded" && return; sleep 0.1; done; echo "never up"; machinectl status brigm1; }\n';
const GONE = 'gone() { for i in $(seq 80); do [ -z "$(machinectl --no-legend)" ] && return; sleep 0.1; done; echo "still there"; }\n';

test("a machine is started from its image, looked at, entered, and ended", (t) => {
  if (needsRoot(t)) return;
  const root = copyDebianRoot(t);
  if (root === undefined) return;
  const printed = runOurs(`mkdir /var/lib/machines/brigm1; mount --bind '${root}' /var/lib/machines/brigm1\n${AWAIT}${GONE}
echo "# start"; machinectl -q enable brigm1; machinectl start --enabled; await; machinectl start brigm1; machinectl --no-legend -a; machinectl list
ids=$(readlink /run/brig/names/brigm1); echo "# status"; machinectl status brigm1 -n 3
echo "# show"; machinectl show brigm1 -p Name -p Class -p RootDirectory -p State; machinectl show brigm1 -p Leader --value
echo "# shell"; machinectl shell -E FOO='a b' nobody@brigm1 /bin/sh -c 'id -un; id -G; echo $HOME $FOO; exit 3'; echo "status $?"; brig shell brigm1 /bin/cat /proc/1/comm
echo "# copy"; echo hello >f; chmod 640 f; machinectl copy-to brigm1 /mnt/work/f /root/f; machinectl copy-to brigm1 f /root/f; brig shell brigm1 /usr/bin/stat -c '%a %u %s' /root/f
brig shell brigm1 /bin/sh -c 'mkdir /root/d; ln -s /etc/shadow /root/d/link; echo x >/root/d/x'; machinectl copy-from brigm1 /root/d out; ls out; readlink out/link; machinectl copy-from brigm1 /root/d/link stolen; cat stolen 2>&1 | head -1 | cut -c1-10
echo "# refused"; machinectl bind brigm1 /mnt/work /mnt; machinectl kill brigm1 --kill-whom=some; machinectl shell brigm1 ls; machinectl shell who@brigm1; machinectl remove brigm1
echo "# journal"; brig journalctl -M brigm1 -b -o cat -u systemd-logind | grep Started; brig journalctl -M brigm1 -n 1 -o json | tr ',' '\\n' | grep -c _BOOT_ID; brig journalctl -M brigm1 -D /; brig journalctl -M brigm1 --vacuum-size=1
echo "# reboot"; before=$(machinectl show brigm1 -p Leader --value); machinectl reboot brigm1; for i in $(seq 80); do now=$(machinectl show brigm1 -p Leader --value 2>/dev/null); [ -n "$now" ] && [ "$now" != "$before" ] && break; sleep 0.1; done; await; machinectl --no-legend | cut -d' ' -f1
ids="$ids $(readlink /run/brig/names/brigm1)"; echo "# kill"; machinectl kill brigm1 -s CONT; machinectl poweroff brigm1; gone; machinectl
echo "# after"; brig journalctl -M brigm1 -o cat | grep -c 'Reached target.*poweroff'; machinectl disable brigm1; machinectl start --enabled; machinectl status brigm1; ls -A /run/brig/names; for id in $ids; do find /sys/fs/cgroup -maxdepth 4 -name "*$id*"; done; ls /sys/class/net | grep -c ve-brigm1
`, 100);
  const part = (name: string): string => new RegExp(`# ${name}\\n([^]*?)(?=\\n# |$)`).exec(printed)?.[1] ?? "";
  assert.match(part("start"), /^\.host +host +- +\S+ +\S+ .*\n(.* .*\n)*?brigm1 +container brig +debian 12 +[^]*\n1 machines listed\.$/, printed);
  assert.match(part("status"), /^brigm1\([0-9a-f]{32}\)\n\t {3}Since: .*ago\n\t {2}Leader: \d+ \(systemd\)\n\t Service: brig; class container\n\t {4}Root: \/var\/lib\/machines\/brigm1\n/);
  assert.match(part("status"), /Memory: [\d.]+M\n\t\t {2}├─init\.scope\n\t\t {2}│ └─\d+ .*systemd\n\t\t {2}└─system\.slice\n[^]*systemd-journald[^]*\n\n(.*\n){2}.*$/);
  assert.match(part("show"), /^Name=brigm1\nClass=container\nRootDirectory=\/var\/lib\/machines\/brigm1\nState=running\n\d+$/);
  assert.equal(part("shell"), "nobody\n65534\n/ a b\nstatus 3\nsystemd");
  assert.match(part("copy"), /^Failed to copy: File exists\n.*\n640 0 6\nlink\nx\n\/etc\/shadow\n/);
  assert.match(part("refused"), /Failed to bind mount: Can't bind mount on container with user namespacing applied\n.*\nCould not kill machine: Invalid kill parameter 'some'\n.*\nFailed to get shell PTY: Specified path 'ls' is not absolute\n.*\nFailed to get shell PTY: the machine has no user "who"\n/);
  assert.match(part("journal"), /^Started systemd-logind\.service.*\n1\n-D cannot go with a machine\n.*\n--vacuum-size=1 cannot go with a machine\n/);
  assert.equal(part("reboot"), "brigm1");
  assert.equal(part("kill"), "No machines.");
  assert.match(part("after"), /^[1-9]\d*\nCould not get path to machine: No machine 'brigm1' known\n.*\n0\n$/);
});

test("a host folder is mounted in a running machine, within its own root", (t) => {
  if (needsRoot(t)) return;
  const root = debianRoot(t);
  if (root === undefined) return;
  const printed = runOurs(`${layImage(root, "brigm1")}${AWAIT}${GONE}
mkdir given; echo hello >given/file; brig nspawn -q -bD /var/lib/machines/brigm1 --private-users=no --console=passive & await
machinectl bind brigm1 /mnt/work/given /mnt; brig shell brigm1 /bin/cat /mnt/file
machinectl bind --read-only --mkdir brigm1 /mnt/work/given /new/place; brig shell brigm1 /bin/sh -c 'cat /new/place/file; touch /new/place/x'
machinectl bind --mkdir brigm1 /mnt/work/given/file /new/file; brig shell brigm1 /bin/cat /new/file
brig shell brigm1 /bin/ln -s /etc /tmp/link; machinectl bind brigm1 /mnt/work/given /tmp/link/apt; brig shell brigm1 /bin/ls /etc/apt; [ -e /etc/apt/file ] || echo "not the host's"
machinectl bind brigm1 /mnt/work/given /nowhere; machinectl bind brigm1 /nowhere /mnt; machinectl bind brigm1 given rel
machinectl -s kill brigm1; gone; machinectl
`, 60);
  assert.match(printed, /^hello\nhello\ntouch: .*Read-only file system\nhello\nfile\nnot the host's\nFailed to bind mount: No such file or directory\n.*\nFailed to bind mount: Source file \/nowhere does not exist\n.*\nFailed to bind mount: Destination path must be absolute\n.*\nNo machines\.\n$/);
});
