const FORMAT = 0o170000;

/** The kernel's struct statx (statx(2)), in the manner of node:fs's Stats. */
export class FileStat {
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly ino: number;
  readonly size: number;
  readonly blocks: number;
  readonly blksize: number;
  readonly atime: Date;
  readonly mtime: Date;
  readonly ctime: Date;
  readonly birthtime: Date;

  constructor(bytes: Buffer) {
    const time = (at: number): Date => new Date(Number(bytes.readBigInt64LE(at)) * 1000 + bytes.readUInt32LE(at + 8) / 1e6);
    this.blksize = bytes.readUInt32LE(4);
    this.nlink = bytes.readUInt32LE(16);
    this.uid = bytes.readUInt32LE(20);
    this.gid = bytes.readUInt32LE(24);
    this.mode = bytes.readUInt16LE(28);
    this.ino = Number(bytes.readBigUInt64LE(32));
    this.size = Number(bytes.readBigUInt64LE(40));
    this.blocks = Number(bytes.readBigUInt64LE(48));
    this.atime = time(64);
    this.birthtime = time(80);
    this.ctime = time(96);
    this.mtime = time(112);
  }

  get mtimeMs(): number {
    return this.mtime.getTime();
  }

  isFile(): boolean {
    return (this.mode & FORMAT) === 0o100000;
  }

  isDirectory(): boolean {
    return (this.mode & FORMAT) === 0o040000;
  }

  isSymbolicLink(): boolean {
    return (this.mode & FORMAT) === 0o120000;
  }

  isFIFO(): boolean {
    return (this.mode & FORMAT) === 0o010000;
  }

  isSocket(): boolean {
    return (this.mode & FORMAT) === 0o140000;
  }

  isCharacterDevice(): boolean {
    return (this.mode & FORMAT) === 0o020000;
  }

  isBlockDevice(): boolean {
    return (this.mode & FORMAT) === 0o060000;
  }
}
