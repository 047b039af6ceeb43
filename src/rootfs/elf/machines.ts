/** What the dynamic loaders of one kind of machine call themselves and where they look. */
export interface Machine {
  /** As `uname -m` says it, and as glibc's $PLATFORM expands. */
  name: string;
  /** Debian's multiarch folder, which is also what its glibc expands $LIB to after "lib/". */
  triplet: string;
  /** The flags of this machine's libraries in ld.so.cache (glibc sysdeps/generic/ldconfig.h). */
  cacheFlags: number;
  /** glibc-hwcaps folders, best first (glibc sysdeps dl-hwcaps-subdirs.c). */
  hwcaps: string[];
  /** The loader that a program for this machine names when nothing special was asked for. */
  loader: string;
}

/** The three facts in an ELF header that decide which loader and which libraries fit. */
export interface ElfKind {
  bits: 32 | 64;
  littleEndian: boolean;
  /** e_machine (elf.h EM_*). */
  machine: number;
}

const X86_64 = ["x86-64-v4", "x86-64-v3", "x86-64-v2"];

function describe(name: string, triplet: string, cacheFlags: number, loader: string, hwcaps: string[] = []): Machine {
  return { name, triplet, cacheFlags, loader, hwcaps };
}

const KNOWN: Record<string, Machine> = {
  "3-32": describe("i686", "i386-linux-gnu", 0x0003, "/lib/ld-linux.so.2"),
  "62-64": describe("x86_64", "x86_64-linux-gnu", 0x0303, "/lib64/ld-linux-x86-64.so.2", X86_64),
  "62-32": describe("x86_64", "x86_64-linux-gnux32", 0x0803, "/libx32/ld-linux-x32.so.2", X86_64),
  "183-64": describe("aarch64", "aarch64-linux-gnu", 0x0a03, "/lib/ld-linux-aarch64.so.1"),
  "40-32": describe("v7l", "arm-linux-gnueabihf", 0x0903, "/lib/ld-linux-armhf.so.3"),
  "21-64": describe("power9", "powerpc64le-linux-gnu", 0x0503, "/lib64/ld64.so.2", ["power10", "power9"]),
  "22-64": describe("z15", "s390x-linux-gnu", 0x0403, "/lib/ld64.so.1", ["z16", "z15", "z14", "z13"]),
  "243-64": describe("riscv64", "riscv64-linux-gnu", 0x1003, "/lib/ld-linux-riscv64-lp64d.so.1"),
  "258-64": describe("loongarch64", "loongarch64-linux-gnu", 0x1203, "/lib64/ld-linux-loongarch-lp64d.so.1"),
};

/** The machine that an ELF file is for; undefined for one that this table lacks (its loader then gets plain paths). */
export function findMachine(kind: ElfKind): Machine | undefined {
  return KNOWN[`${kind.machine}-${kind.bits}`];
}

/** Whether the loader of `a` accepts the library `b`: the same class, byte order and machine (open_verify, dl-load.c). */
export function isSameKind(a: ElfKind, b: ElfKind): boolean {
  return a.bits === b.bits && a.littleEndian === b.littleEndian && a.machine === b.machine;
}
