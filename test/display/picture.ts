/** What is on an X screen, as xwd(1) writes it. */
export interface Picture {
  width: number;
  height: number;
  /** 0xRRGGBB. */
  at(x: number, y: number): number;
  count(colour: number): number;
  /** The smallest box around all pixels of a colour. */
  box(colour: number): { x: number; y: number; width: number; height: number } | undefined;
}

/** XWDFile.h, version 7: 25 big-endian words, a name, colours of 12 bytes each, then lines of four bytes a pixel. */
export function readPicture(dump: Buffer): Picture {
  const word = (index: number): number => dump.readUInt32BE(index * 4);
  const [width, height, perLine] = [word(4), word(5), word(12)];
  if (word(1) !== 7 || word(11) !== 32 || word(7) !== 0) throw new Error(`no picture of 32 bits a pixel: ${dump.subarray(0, 100).toString("hex")}`);
  const start = word(0) + word(19) * 12;
  const at = (x: number, y: number): number => dump.readUInt32LE(start + y * perLine + x * 4) & 0xffffff;
  const find = (colour: number): [number, number][] => {
    const found: [number, number][] = [];
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) if (at(x, y) === colour) found.push([x, y]);
    return found;
  };
  return {
    width,
    height,
    at,
    count: (colour) => find(colour).length,
    box(colour) {
      const found = find(colour);
      if (found.length === 0) return undefined;
      const [xs, ys] = [found.map(([x]) => x), found.map(([, y]) => y)];
      const least = (list: number[]): number => list.reduce((a, b) => Math.min(a, b));
      const most = (list: number[]): number => list.reduce((a, b) => Math.max(a, b));
      return { x: least(xs), y: least(ys), width: most(xs) - least(xs) + 1, height: most(ys) - least(ys) + 1 };
    },
  };
}
