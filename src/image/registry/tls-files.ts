import { readdirSync, readFileSync } from "node:fs";
import { rootCertificates } from "node:tls";
import { join } from "node:path";

/** As docker has them: NAME.crt are authorities, NAME.cert with NAME.key are who we are. */
export function readTlsFiles(host: string, folder = "/etc/docker/certs.d"): { ca?: string[]; cert?: string[]; key?: string[] } {
  if (!/^[\w.:[\]-]+$/.test(host) || host.startsWith(".")) return {};
  const files = listFiles(join(folder, host));
  const read = (ending: string): string[] => files.filter((name) => name.endsWith(ending)).map((name) => readFileSync(join(folder, host, name), "utf8"));
  const authorities = read(".crt");
  const cert = read(".cert");
  return { ...(authorities.length > 0 ? { ca: [...rootCertificates, ...authorities] } : {}), ...(cert.length > 0 ? { cert, key: read(".key") } : {}) };
}

function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
