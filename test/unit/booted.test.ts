import assert from "node:assert/strict";
import test from "node:test";
import { needsRoot } from "../article/brig.js";
import { debianRoot } from "../roots/debian-root.js";
import { runOurs } from "../tools/machinectl/private-host.js";

/** Boots a machine over the shared root, with a folder of the host at the same place: units are made here and run there. */
const BOOT = (root: string): string => `
mkdir -p /mnt/up /mnt/over /mnt/deb; mount -t overlay overlay -o lowerdir='${root}',upperdir=/mnt/up,workdir=/mnt/over /mnt/deb
boot() { brig nspawn -q -bD /mnt/deb -M units --private-users=no --bind=/mnt/work --console=passive & for i in $(seq 100); do brig shell units /bin/systemctl is-system-running 2>/dev/null | grep -q running && return; sleep 0.1; done; echo "never up"; }
start() { machinectl copy-to --force units "$1.service" "/etc/systemd/system/$1.service"; brig shell units /bin/sh -c "systemctl daemon-reload; systemctl start $1"; }
said() { for i in $(seq 50); do brig journalctl -M units -o cat -u "$1" -t "$2" >said; grep -q '^done$' said && break; sleep 0.1; done; cat said; }
`;

test("the article's daemon is set up by a script, and runs in its chroot", (t) => {
  if (needsRoot(t)) return;
  const root = debianRoot(t);
  if (root === undefined) return;
  const printed = runOurs(`${BOOT(root)}
mkdir my_chroot; cd my_chroot; mkdir bin etc proc sys dev run tmp var var/tmp usr; cd /mnt/work; cp /bin/busybox my_chroot/bin/; ln -s busybox my_chroot/bin/sh; echo in the chroot >my_chroot/etc/where
printf '#!/bin/sh\\nln -sf busybox /mnt/work/my_chroot/bin/daemon; echo made ready >/mnt/work/my_chroot/etc/ready\\n' >setup.sh; chmod 755 setup.sh
brig unit my_chroot_Service --root /mnt/work/my_chroot --before /mnt/work/setup.sh --out . -- /bin/sh -c '/bin/busybox cat /etc/where /etc/ready; /bin/busybox ls /; echo done; exec /bin/busybox sleep 1000'
boot; start my_chroot_Service; said my_chroot_Service sh
brig shell units /bin/sh -c 'systemctl is-active my_chroot_Service; pid=$(systemctl show my_chroot_Service -p MainPID --value); ls /proc/$pid/root/etc; systemctl show my_chroot_Service -p RootDirectory'
brig shell units /bin/sh -c 'systemctl stop my_chroot_Service; systemctl is-active my_chroot_Service'
machinectl terminate units; wait
`, 60);
  assert.match(printed, /^in the chroot\nmade ready\nbin\ndev\netc\nproc\nroot\nrun\nsys\ntmp\nusr\nvar\ndone\nactive\nready\nwhere\nRootDirectory=\/mnt\/work\/my_chroot\ninactive\n$/m);
});

test("a service has the walls that its unit promises", (t) => {
  if (needsRoot(t)) return;
  const root = debianRoot(t);
  if (root === undefined) return;
  const printed = runOurs(`${BOOT(root)}
cat >probe.sh <<'end'
id -u | grep -qv '^0$' && echo unprivileged
ls -A / | tr '\\n' ' '; echo
echo kept >/tmp/kept && cat /tmp/kept
for place in / /usr /etc /run; do (: >$place/new) 2>/dev/null && echo "wrote to $place"; done
grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status | tr -d '\\t'
ls /proc | grep -c '^1$'
unshare -U true 2>/dev/null || echo no namespaces
chmod 4755 /tmp/kept 2>/dev/null || echo no setuid
ls /sys/class/net 2>/dev/null || echo no sysfs; tail -n +3 /proc/net/dev | cut -d: -f1
echo "$A"; echo "$HOME"; umask; ulimit -c; cat /proc/self/uid_map | wc -l
echo done; exec sleep 1000
end
brig unit walls --env 'A=x "y" $z %n' --out . -- /bin/bash -c "$(cat probe.sh)"; mkdir data; chown 33:33 data
brig unit writes --write /mnt/work/data --hide /usr/share --out . -- /bin/bash -c 'id -un; ls /usr/share 2>/dev/null || echo hidden; echo new >/mnt/work/data/new; echo done; exec sleep 1000'
boot; start walls; said walls bash; start writes; said writes bash; cat data/new; stat -c %U data/new; machinectl terminate units; wait
`, 60);
  const wanted = [
    "unprivileged", "bin dev etc lib lib64 opt proc root run sbin sys tmp usr var", "kept", "CapBnd:0000000000000000", "CapEff:0000000000000000", "NoNewPrivs:1", "Seccomp:2",
    "0", "no namespaces", "no setuid", "no sysfs", "    lo", 'x "y" $z %n', "/tmp", "0022", "0", "2", "done", "www-data", "hidden", "done", "new", "www-data", "",
  ];
  assert.deepEqual(printed.split("\n").sort(), wanted.sort());
});
