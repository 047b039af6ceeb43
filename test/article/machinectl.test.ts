import assert from "node:assert/strict";
import test from "node:test";
import { copyDebianRoot } from "../roots/debian-root.js";
import { runOurs } from "../tools/machinectl/private-host.js";
import { needsRoot } from "./brig.js";

/** Types a name and password when it is asked for them, a command, and leaves. */
const LOG_IN = `logIn() {
  mkfifo typed; : >seen; script -qefc "brig machinectl login my_deb" seen <typed >/dev/null & exec 5>typed
  see() { for i in $(seq 150); do grep -q "$1" seen && return; sleep 0.1; done; echo "not seen: $1"; cat seen; }
  see "login:"; echo root >&5; see "Password:"; echo secret >&5; see "[#$] "; echo 'echo I am $(id -un) on $(tty | cut -c1-9)' >&5; see "I am root"; echo exit >&5; sleep 0.5; exec 5>&-
  grep -ao 'I am root on /dev/pts/' seen
}
`;

test("the machines of the article are listed, shown, logged in to, shut down and killed", (t) => {
  if (needsRoot(t)) return;
  const root = copyDebianRoot(t);
  if (root === undefined) return;
  const printed = runOurs(`${LOG_IN}
echo root:secret | chroot '${root}' chpasswd; mkdir my_deb; mount --bind '${root}' my_deb
boot() { brig nspawn -q -bD my_deb --console=passive & for i in $(seq 100); do brig shell my_deb /bin/systemctl is-system-running 2>/dev/null | grep -q running && return; sleep 0.1; done; echo "never up"; }
gone() { for i in $(seq 100); do [ -z "$(machinectl --no-legend)" ] && return; sleep 0.1; done; echo "still there"; }
boot; machinectl -a | cut -c1-17; machinectl status my_deb | grep -c 'Leader\\|systemd-journald$'
logIn
brig journalctl -M my_deb -o cat | grep -c "Started systemd-logind"
machinectl poweroff my_deb; gone; machinectl -a | tail -1
boot; machinectl -s kill my_deb; gone; machinectl --no-legend; echo end
`, 60);
  assert.equal(printed, "MACHINE CLASS    \n.host   host     \nmy_deb  container\n\n2 machines listed\n2\nI am root on /dev/pts/\n1\n1 machines listed.\nend\n");
});
