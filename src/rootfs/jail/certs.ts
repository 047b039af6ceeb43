import { BrigError } from "../../error/brig-error.js";
import { addIfThere } from "./add-paths.js";
import type { Draft } from "./draft.js";

/** Where TLS libraries look, by distribution: Debian, Alpine and SUSE; Fedora; OpenSSL's own file. Never private keys. */
const PLACES = ["/etc/ssl/certs", "/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted", "/etc/ssl/cert.pem", "/etc/ssl/openssl.cnf"];

/** Adds the certificate authorities that this root trusts. @throws BrigError BRIG_JAIL_NOT_HERE */
export function addCerts(draft: Draft): void {
  const found = PLACES.filter((path) => addIfThere(draft, path, "--certs"));
  if (found.some((path) => path !== "/etc/ssl/openssl.cnf")) return;
  throw new BrigError("there are no trusted certificates here", { code: "BRIG_JAIL_NOT_HERE", hint: "apt install ca-certificates", origin: "--certs" });
}
