import { spawnSync } from "node:child_process";

/**
 * What the launcher found out by trying, which Node cannot: `brig --probe` prints lines `NAME VALUE`.
 *
 *     landlock N            landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION); 0: none
 *     user_namespace ERRNO  a child's unshare(CLONE_NEWUSER) and, in it, unshare(CLONE_NEWNS); 0: works
 *     overlay ERRNO         a mount of overlay on a tmpfs in that namespace
 *     seccomp_filter ERRNO  seccomp(SECCOMP_GET_ACTION_AVAIL, 0, SECCOMP_RET_ERRNO)
 *
 * Names that a launcher does not print are left undefined.
 */
export interface Probe {
  landlock?: number;
  user_namespace?: number;
  overlay?: number;
  seccomp_filter?: number;
}

const NAMES = ["landlock", "user_namespace", "overlay", "seccomp_filter"] as const;

/** The answers in a probe's output; lines that are not understood are passed over. */
export function parseProbe(text: string): Probe {
  const probe: Probe = {};
  for (const name of NAMES) {
    const value = new RegExp(`^${name} (\\d{1,6})$`, "m").exec(text)?.[1];
    if (value !== undefined) probe[name] = Number(value);
  }
  return probe;
}

/** Runs `LAUNCHER --probe`; nothing is known when there is no launcher or it fails. */
export function runProbe(launcher: string | undefined): Probe {
  if (launcher === undefined) return {};
  const ran = spawnSync(launcher, ["--probe"], { encoding: "utf8", timeout: 5000, stdio: ["ignore", "pipe", "ignore"] });
  return ran.status === 0 ? parseProbe(ran.stdout) : {};
}
