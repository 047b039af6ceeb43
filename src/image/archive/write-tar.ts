const BLOCK = 512;
const SIZE_MAX = 0o77777777777;

/** What is written to an archive of images: folders and files, root's, with one time. */
export type TarItem = { name: string; time: number } & ({ type: "folder" } | { type: "file"; size: number; read: () => AsyncIterable<Buffer> | Iterable<Buffer> });

/** The bytes of a ustar archive (POSIX.1-1988). `time` is in seconds since the epoch; names have at most 100 bytes. */
export async function* writeTar(items: Iterable<TarItem>): AsyncGenerator<Buffer> {
  for (const item of items) {
    yield makeHeader(item);
    if (item.type === "folder") continue;
    let written = 0;
    for await (const chunk of item.read()) {
      written += chunk.length;
      yield chunk;
    }
    if (written !== item.size) throw new Error(`${item.name} is ${written} bytes, and should be ${item.size}`);
    const rest = (BLOCK - (item.size % BLOCK)) % BLOCK;
    if (rest > 0) yield Buffer.alloc(rest);
  }
  yield Buffer.alloc(2 * BLOCK);
}

function makeHeader(item: TarItem): Buffer {
  const header = Buffer.alloc(BLOCK);
  const isFile = item.type === "file";
  const size = isFile ? item.size : 0;
  if (Buffer.byteLength(item.name) > 100) throw new RangeError(`${item.name} is too long a name`);
  header.write(item.name, 0);
  header.write(isFile ? "0000644\0" : "0000755\0", 100);
  header.write("0000000\x000000000\0", 108);
  if (size <= SIZE_MAX) header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  else {
    header[124] = 0x80;
    header.writeBigUInt64BE(BigInt(size), 128);
  }
  header.write(`${Math.max(0, Math.floor(item.time)).toString(8).padStart(11, "0")}\0`, 136);
  header.write("        ", 148);
  header.write(isFile ? "0" : "5", 156);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}
