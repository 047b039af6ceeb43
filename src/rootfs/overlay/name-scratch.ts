import { join } from "node:path";

export const PREFIX = "brig-ephemeral-";

/** A path for a scratch folder that does not exist yet: on a disk where there is one, since an upper side may grow. */
export function nameScratch(env: NodeJS.ProcessEnv = process.env): string {
  const folder = env["TMPDIR"]?.startsWith("/") ? env["TMPDIR"] : "/var/tmp";
  return join(folder, `${PREFIX}${process.geteuid?.()}-${process.pid}-${process.hrtime.bigint().toString(36)}`);
}
