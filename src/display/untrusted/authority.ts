/** A record of an Xauthority file (Xauthority(5), XauReadAuth of Xau(3)): who has which cookie. */
export interface Cookie {
  /** 256: this host by its name; 65535: any host. */
  family: number;
  address: Buffer;
  /** The display's number, or "" for every one. */
  number: string;
  name: string;
  data: Buffer;
}

export const FAMILY_LOCAL = 256;
export const FAMILY_WILD = 65_535;
export const MAGIC_COOKIE = "MIT-MAGIC-COOKIE-1";

/** The records up to one that is cut off. Numbers are big-endian, of 16 bits. */
export function parseAuthority(bytes: Buffer): Cookie[] {
  const found: Cookie[] = [];
  let at = 0;
  const readPart = (): Buffer | undefined => {
    if (at + 2 > bytes.length) return undefined;
    const size = bytes.readUInt16BE(at);
    if (at + 2 + size > bytes.length) return undefined;
    const part = bytes.subarray(at + 2, at + 2 + size);
    at += 2 + size;
    return part;
  };
  while (at + 2 <= bytes.length) {
    const family = bytes.readUInt16BE(at);
    at += 2;
    const [address, number, name, data] = [readPart(), readPart(), readPart(), readPart()];
    if (!address || !number || !name || !data) break;
    found.push({ family, address, number: number.toString("latin1"), name: name.toString("latin1"), data });
  }
  return found;
}

export function encodeCookie({ family, address, number, name, data }: Cookie): Buffer {
  const parts = [address, Buffer.from(number, "latin1"), Buffer.from(name, "latin1"), data];
  return Buffer.concat([encodeSize(family), ...parts.flatMap((part) => [encodeSize(part.length), part])]);
}

function encodeSize(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

/** The cookie that a client on this host would use, as XauGetBestAuthByAddr(3) has it. */
export function chooseCookie(cookies: readonly Cookie[], hostname: string, number: number): Cookie | undefined {
  const fits = cookies.filter((cookie) => cookie.name === MAGIC_COOKIE && (cookie.number === "" || cookie.number === String(number)));
  return fits.find(({ family, address }) => family === FAMILY_WILD || (family === FAMILY_LOCAL && address.toString("latin1") === hostname));
}
