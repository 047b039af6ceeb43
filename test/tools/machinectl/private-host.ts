import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import type { TestContext } from "node:test";
import { findLauncher } from "../../../src/launch/find-launcher.js";

/** Mounts and a run folder of its own: nothing that a script does with images or machines touches the host's. */
const OWN_FOLDERS = "set -e; mount -t tmpfs own /var/lib; mount -t tmpfs own /mnt; mount -t tmpfs own /run; mkdir -p /var/lib/machines /mnt/work; chmod 700 /var/lib/machines; set +e; cd /mnt/work; ";

/** machined and its bus, as far as they run without a systemd that is process 1. */
const MACHINED = `mkdir -p /run/systemd/system /run/dbus /run/lock; dbus-daemon --system --fork --nopidfile
/lib/systemd/systemd-machined 2>/dev/null & /lib/systemd/systemd-importd >/dev/null 2>&1 &
for i in $(seq 100); do machinectl list >/dev/null 2>&1 && break; sleep 0.05; done; `;

/** Runs a shell script with brig's machinectl as `machinectl`; what it prints, errors included. */
export function runOurs(script: string, seconds = 60): string {
  return run(`machinectl() { '${findLauncher()}' machinectl "$@"; }\nPATH=${dirname(findLauncher())}:$PATH\n${script}`, seconds);
}

/** The same with the real machinectl; undefined, and the test skipped, where it cannot run. */
export function runReal(t: TestContext, script: string): string | undefined {
  if (existsSync("/lib/systemd/systemd-machined") && existsSync("/usr/bin/dbus-daemon")) return run(MACHINED + script);
  t.skip("systemd-container or dbus is not installed");
  return undefined;
}

function run(script: string, seconds = 60): string {
  const words = ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-c", `exec 2>&1 </dev/null; ${OWN_FOLDERS}${script}`];
  const ran = spawnSync("unshare", words, { encoding: "utf8", timeout: seconds * 1000, env: { ...process.env, LC_ALL: "C.UTF-8", TZ: "UTC", SYSTEMD_PAGER: "cat", SYSTEMD_COLORS: "0" } });
  if (ran.error) throw ran.error;
  return ran.stdout + ran.stderr;
}
