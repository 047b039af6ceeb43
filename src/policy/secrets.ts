import { accessSync, constants, readdirSync, statSync } from "node:fs";
import { byDefault, consultFile, type Draft } from "./draft.js";

/** What in /etc nobody's payload has a use for: ownership protects it, but not from a caller who may read it. */
const SECRETS = [
  "/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/security/opasswd",
  "/etc/sudoers", "/etc/sudoers.d", "/etc/ssl/private", "/etc/krb5.keytab", "/etc/wireguard", "/etc/openvpn",
  "/etc/NetworkManager/system-connections", "/etc/ppp/pap-secrets", "/etc/ppp/chap-secrets", "/etc/ipsec.secrets",
];

/** Masks those of the host's secrets that the payload could read. */
export function hideSecrets(draft: Draft): void {
  const paths = [...SECRETS, ...listHostKeys(draft)].filter((path) => isReadable(draft, consultFile(draft, path)));
  for (const path of paths) maskPath(draft, path, "a secret of the host's that this user may read");
}

function maskPath(draft: Draft, path: string, why: string): void {
  const masked = (draft.linux.maskedPaths ??= []);
  draft.origins[`/linux/maskedPaths/${masked.push(path) - 1}`] = byDefault(why);
}

function listHostKeys(draft: Draft): string[] {
  try {
    const names = readdirSync(consultFile(draft, "/etc/ssh")).filter((name) => /^ssh_host_.*_key$/.test(name));
    return names.map((name) => `/etc/ssh/${name}`);
  } catch {
    return [];
  }
}

/** A payload with mapped ids is "other" to every file of the host; any other payload has the caller's rights. */
function isReadable(draft: Draft, path: string): boolean {
  try {
    if (draft.mapped) return (statSync(path).mode & 0o004) !== 0;
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
