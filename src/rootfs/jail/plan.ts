import type { CacheEntry } from "../elf/ld-cache.js";

/** One thing in a jail. `path` is absolute within it and its folders are never links. */
export type JailEntry = { path: string; /** Why it is there, for people. */ reason: string } & (
  | { type: "folder"; mode: number; uid: number; gid: number }
  | { type: "file"; source: JailSource; mode: number; uid: number; gid: number; size: number }
  | { type: "link"; target: string }
  | { type: "text"; content: string; mode: number }
  /** ld.so.cache lines for libraries outside the loader's own folders; those already in the jail's cache stay. */
  | { type: "cache"; entries: CacheEntry[]; littleEndian: boolean }
);

/** A file on this host, known by its inode so that nobody swaps it between the plan and the copy. */
export interface JailSource {
  path: string;
  dev: number;
  ino: number;
}

/** What a jail will hold. Making a plan writes nothing. */
export interface JailPlan {
  /** Folders before what is in them. */
  entries: JailEntry[];
  /** What a person may want to know: what a program would also use, what was left out. */
  notes: string[];
  /** The size of all files. */
  bytes: number;
}

export interface AddedPath {
  source: string;
  /** Where in the jail; the same path when left out. */
  destination?: string | undefined;
}

export interface JailOptions {
  /** Where bare names are looked up: a colon-separated list of folders. The caller's PATH when left out. */
  path?: string | undefined;
  /** The folder that programs are taken from: this host's root when left out. */
  from?: string | undefined;
  /** What looking up user and host names takes: nsswitch.conf, hosts, resolv.conf, NSS modules. */
  names?: boolean | undefined;
  /** The certificate authorities that this host trusts. */
  certs?: boolean | undefined;
  /** "en_US.UTF-8", or "all". */
  locale?: string | undefined;
  terminfo?: boolean | undefined;
  /** passwd and group with root, nobody and the caller. */
  users?: boolean | undefined;
  add?: AddedPath[] | undefined;
  /** Keep the setuid and setgid bits. */
  setuid?: boolean | undefined;
}
