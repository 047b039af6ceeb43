import { closeSync, constants, openSync, readSync, statSync, type BigIntStats, type Dirent, type Stats } from "node:fs";
import { type Listing, observeListings } from "../host/list-names.js";
import { addBytes, hashToBigInt, makeHash } from "../plan/checksum.js";
import type { Witness } from "../plan/plan.js";

/** A change within the clock tick of a file's last one leaves its times as they are: such a file is too fresh to depend on. */
const TICK_NS = 100_000_000n;

/** The kernel's own calls, whatever node:fs is made to be later. */
const kernel = { closeSync, openSync, readSync, statSync };

/** What differs from one process to the next; of namespaces the launcher has what Node has. */
const PERSONAL = /^\/proc\/(?:\d+|self|thread-self)\/(?!ns\/|mountinfo$|cgroup$|[ug]id_map$)/;

/** Texts that are others at any moment, though nobody changed a thing. */
const RESTLESS = /^\/proc\/(?:net\/|stat$|uptime$|loadavg$|meminfo$|locks$|vmstat$|interrupts$)/;

/** What was asked and answered, each once, as witnesses. */
export class AnswerBook {
  readonly #witnesses = new Map<string, Witness>();
  readonly #missing = new Map<string, { listing: Listing; names: Set<string> }>();
  readonly #open = new Set<number>();
  #unrepeatable: string | undefined;

  constructor() {
    observeListings({ used: (listing, prefix) => this.addListing(listing, prefix), missed: (listing, name) => this.addMissing(listing, name) });
    // what the kernel is and has mounted, as a whole
    this.#addKernelText("/proc/sys/kernel/random/boot_id");
  }

  refuse(why: string): void {
    this.#unrepeatable ??= why;
  }

  addVariable(name: string, value: string | undefined): void {
    this.#add(`env ${name}`, () => ({ kind: "env", name, value }));
  }

  addAccess(path: string, mode: number, granted: boolean): void {
    this.#add(`access ${mode} ${path}`, () => ({ kind: "access", path: this.#settle(path), mode, granted }));
  }

  addPlace(kind: "stat" | "lstat", path: string, answer: unknown, error: NodeJS.ErrnoException | undefined): void {
    const stat = answer as Stats | BigIntStats | undefined;
    const isBig = typeof stat?.ino === "bigint";
    this.#add(`${kind} ${isBig} ${path}`, () => ({ kind, path: this.#settle(path), answer: stat ? { mode: Number(stat.mode), uid: Number(stat.uid), dev: BigInt(stat.dev), ino: isBig ? (stat.ino as bigint) : 0n } : { errno: Math.abs(error?.errno ?? 0) } }));
  }

  /** For what was asked of the file system that a path lies on. */
  addPlaceNow(path: string): void {
    this.addPlace("stat", path, kernel.statSync(path, { throwIfNoEntry: false }), undefined);
  }

  addText(kind: "link" | "real", path: string, answer: unknown): void {
    this.#add(`${kind} ${path}`, () => ({ kind, path: this.#settle(path), answer: typeof answer === "string" ? answer : undefined }));
  }

  addNames(path: string, answer: unknown): void {
    const names = Array.isArray(answer) ? (answer as (string | Dirent)[]).map((each) => (typeof each === "string" ? each : each.name)) : undefined;
    this.addListing({ path, names, folder: undefined }, "");
  }

  addListing({ path, names, folder }: Listing, prefix: string): void {
    this.#add(`names ${prefix} ${path}`, () => ({ kind: "names", path: this.#settle(path), prefix, sum: names && sumNames(names, prefix), folder: settle(path, folder) }));
  }

  /** A profile names thousands of paths that are not there: one witness tells of all those in a folder. */
  addMissing(listing: Listing, name: string): void {
    let known = this.#missing.get(listing.path);
    if (!known) this.#missing.set(listing.path, (known = { listing, names: new Set() }));
    known.names.add(name);
  }

  addRead(path: string, isWriting: boolean): void {
    if (isWriting) return this.refuse(`${path} was opened to be written`);
    if (path === "/proc/self/status") return this.#addCapabilities();
    if (path.startsWith("/proc/") || path.startsWith("/sys/")) return this.#addKernelText(path);
    this.#add(`content ${path}`, () => this.#readState(path));
  }

  addOpen(descriptor: number): void {
    this.#open.add(descriptor);
  }

  isOpen(descriptor: number): boolean {
    return this.#open.has(descriptor);
  }

  finish(): Witness[] | { unrepeatable: string } {
    observeListings(undefined);
    const absent = [...this.#missing.values()].map(({ listing: { path, folder }, names }): Witness => ({ kind: "absent", path: this.#settle(path), names: [...names], folder: settle(path, folder) }));
    return this.#unrepeatable === undefined ? [...this.#witnesses.values(), ...absent] : { unrepeatable: this.#unrepeatable };
  }

  #add(key: string, make: () => Witness): void {
    if (!this.#witnesses.has(key)) this.#witnesses.set(key, make());
  }

  /** A relative path counts from the working folder, which is witnessed itself. */
  #settle(path: string): string {
    if (PERSONAL.test(path)) this.refuse(`${path} was looked at`);
    if (path === "" || path.includes("\0")) this.refuse("a path is empty");
    return path;
  }

  #readState(path: string): Witness {
    const stat = stateOf(path);
    if (!stat) return { kind: "content", path: this.#settle(path), mode: 0, dev: 0n, ino: 0n, size: 0n, mtimeNs: 0n, ctimeNs: 0n };
    const { mode, dev, ino, size, mtimeNs, ctimeNs } = stat;
    if (!isSettled(ctimeNs)) this.refuse(`${path} has just been changed`);
    return { kind: "content", path: this.#settle(path), mode: Number(mode), dev, ino, size, mtimeNs, ctimeNs };
  }

  #addKernelText(path: string): void {
    if (RESTLESS.test(path)) this.refuse(`${path} was read`);
    this.#add(`text ${path}`, () => {
      const text = readKernelText(path);
      return { kind: "text", path: this.#settle(path), hash: text && hashToBigInt(addBytes(makeHash(), text)) };
    });
  }

  #addCapabilities(): void {
    this.#add("caps", () => {
      const [, mask = ""] = /^CapEff:\t([0-9a-f]+)$/m.exec(readKernelText("/proc/self/status")?.toString() ?? "") ?? [];
      if (mask === "") this.refuse("the capabilities cannot be read");
      return { kind: "caps", effective: BigInt(`0x${mask || "0"}`) };
    });
  }
}

/** A folder's state, where it tells that nothing came or went: the kernel's own folders change without a new time. */
function settle(path: string, folder: Listing["folder"]): Listing["folder"] {
  return folder && isSettled(folder.mtimeNs) && !/^\/(?:proc|sys)(?:\/|$)/.test(path) ? folder : undefined;
}

function isSettled(changedNs: bigint): boolean {
  return BigInt(Date.now()) * 1_000_000n - changedNs >= TICK_NS;
}

function sumNames(names: readonly string[], prefix: string): bigint {
  const sums = names.filter((name) => name.startsWith(prefix)).map((name) => hashToBigInt(addBytes(makeHash(), Buffer.from(name))));
  return BigInt.asUintN(64, sums.reduce((sum, each) => sum + each, 0n));
}

function stateOf(path: string): BigIntStats | undefined {
  try {
    return kernel.statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

const room = Buffer.allocUnsafeSlow(16384);

/** Such a file has no size and no times that mean anything. */
function readKernelText(path: string): Buffer | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = kernel.openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const chunks: Buffer[] = [];
    for (;;) {
      const size = kernel.readSync(descriptor, room);
      if (size === 0) return Buffer.concat(chunks);
      chunks.push(Buffer.from(room.subarray(0, size)));
    }
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) kernel.closeSync(descriptor);
  }
}
