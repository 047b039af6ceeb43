/** An address of the internet family, as sockaddr_in and sockaddr_in6 have it (ip(7), ipv6(7)). */
export interface InternetAddress {
  host: string;
  port: number;
  loopback: boolean;
}

const AF_INET = 2;
const AF_INET6 = 10;

/** undefined: of another family, or cut short. */
export function readInternetAddress(bytes: Buffer | undefined): InternetAddress | undefined {
  if (!bytes || bytes.length < 8) return undefined;
  const port = bytes.readUInt16BE(2);
  const family = bytes.readUInt16LE(0);
  if (family === AF_INET) return readIpv4(bytes.subarray(4, 8), port);
  if (family !== AF_INET6 || bytes.length < 24) return undefined;
  return readIpv6(bytes.subarray(8, 24), port);
}

function readIpv4(bytes: Buffer, port: number): InternetAddress {
  return { host: [...bytes].join("."), port, loopback: bytes[0] === 127 || bytes.every((byte) => byte === 0) };
}

function readIpv6(bytes: Buffer, port: number): InternetAddress {
  const isMapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes.readUInt16BE(10) === 0xffff;
  if (isMapped) return readIpv4(bytes.subarray(12, 16), port);
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16));
  const loopback = bytes.subarray(0, 15).every((byte) => byte === 0) && bytes[15]! <= 1;
  return { host: compress(groups), port, loopback };
}

/** The longest run of zeros as "::" (RFC 5952). */
function compress(groups: string[]): string {
  const runs = groups.join(":").match(/(?:^|:)0(?::0)+(?=:|$)/g) ?? [];
  const longest = runs.sort((a, b) => b.length - a.length)[0];
  if (!longest) return groups.join(":");
  const [before = "", after = ""] = splitOnce(groups.join(":"), longest);
  return `${before}::${after.replace(/^:/, "")}`;
}

function splitOnce(text: string, part: string): [string, string] {
  const at = text.indexOf(part);
  return [text.slice(0, at), text.slice(at + part.length)];
}

/** "1.2.3.4:443", "[::1]:443". */
export function formatAddress({ host, port }: InternetAddress): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

const HEADER = 12;

/** The name that a DNS query asks for (RFC 1035, section 4.1); undefined for what is no query of one question. */
export function readQuestion(bytes: Buffer | undefined): string | undefined {
  if (!bytes || bytes.length < HEADER + 5) return undefined;
  const isQuery = (bytes.readUInt16BE(2) & 0xf800) === 0 && bytes.readUInt16BE(4) === 1 && bytes.readUInt16BE(6) === 0;
  const labels: string[] = [];
  let at = HEADER;
  for (let size = bytes[at] ?? 0; isQuery && size > 0 && size < 64 && at + size < bytes.length; size = bytes[at] ?? 0) {
    labels.push(bytes.toString("latin1", at + 1, at + 1 + size));
    at += 1 + size;
  }
  const isWhole = labels.length > 0 && bytes[at] === 0 && bytes.length >= at + 5;
  return isWhole && labels.every((label) => /^[\w-]+$/.test(label)) ? labels.join(".") : undefined;
}
