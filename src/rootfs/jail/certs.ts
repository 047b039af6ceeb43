import { BrigError } from "../../error/brig-error.js";
import { addIfThere } from "./add-paths.js";
import type { Draft } from "./draft.js";

/** Where TLS libraries look, by distribution: Debian, Alpine and SUSE; Fedora; Debian's OPENSSLDIR, links to the first. */
const PLACES = ["/etc/ssl/certs", "/etc/ssl/cert.pem", "/etc/pki/tls/certs", "/etc/pki/tls/cert.pem", "/etc/pki/ca-trust/extracted", "/usr/lib/ssl/certs", "/usr/lib/ssl/cert.pem"];

/** OpenSSL reads it before it reads a certificate. */
const SETTINGS = ["/etc/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf", "/usr/lib/ssl/openssl.cnf"];

/** Adds the certificate authorities that this root trusts, never private keys. @throws BrigError BRIG_JAIL_NOT_HERE */
export function addCerts(draft: Draft): void {
  const found = PLACES.filter((path) => addIfThere(draft, path, "--certs"));
  SETTINGS.forEach((path) => addIfThere(draft, path, "--certs"));
  if (found.length > 0) return;
  throw new BrigError("there are no trusted certificates here", { code: "BRIG_JAIL_NOT_HERE", hint: "apt install ca-certificates", origin: "--certs" });
}
