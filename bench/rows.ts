import type { ContestantName } from "./contestants.js";

/** A line of the table: one contestant's time over another's. */
export interface Row {
  name: string;
  ours: ContestantName;
  theirs: ContestantName;
  /** The ratio that brig promises to stay under; without one the row is there to compare. */
  bar?: number;
}

/** The design's rows come first, in its order. */
export const rows: readonly Row[] = [
  { name: "a compiled plan / the kernel's work alone", ours: "planOfLimit", theirs: "limit", bar: 1.25 },
  { name: "a compiled plan / bwrap, the same walls", ours: "planOfLimit", theirs: "bwrapOfLimit", bar: 0.4 },
  { name: "library: true in a sandbox made ahead / Node's spawn of plain true, 200 MB of buffers", ours: "libraryWithBuffers", theirs: "spawnWithBuffers", bar: 0.5 },
  { name: "brig run -- true, first time / firejail --private true", ours: "first", theirs: "firejail", bar: 0.8 },
  { name: "brig run -- true, repeated / bwrap, the same walls", ours: "repeated", theirs: "bwrap", bar: 0.6 },
  { name: "brig firejail --noprofile, repeated / firejail", ours: "jailWithout", theirs: "firejailWithout", bar: 0.6 },
  { name: "brig firejail --private, repeated / firejail", ours: "jailPrivate", theirs: "firejail", bar: 0.6 },
  { name: "brig firejail --profile=firefox, repeated / firejail", ours: "jailWithFirefox", theirs: "firejailWithFirefox", bar: 0.35 },
  { name: "brig firejail --noprofile, first time / firejail", ours: "firstJailWithout", theirs: "firejailWithout", bar: 1.5 },
  { name: "brig firejail --private, first time / firejail", ours: "firstJailPrivate", theirs: "firejail", bar: 0.9 },
  { name: "brig firejail --profile=firefox, first time / firejail", ours: "firstJailWithFirefox", theirs: "firejailWithFirefox", bar: 0.6 },
  { name: "brig bwrap, repeated / bwrap", ours: "bwrapCommand", theirs: "bwrap", bar: 0.6 },
  { name: "brig nspawn, repeated / systemd-nspawn", ours: "machine", theirs: "nspawn", bar: 0.1 },
  { name: "brig nspawn, first time / systemd-nspawn", ours: "firstMachine", theirs: "nspawn" },
  { name: "brig nspawn -b to multi-user.target / systemd-nspawn", ours: "boot", theirs: "nspawnBoot", bar: 1 },
  { name: "brig pull, unpacked / skopeo copy and umoci unpack", ours: "pull", theirs: "skopeo", bar: 0.8 },
  { name: "a gzipped layer unpacked and checked / GNU tar", ours: "unpack", theirs: "tar", bar: 1.1 },
  { name: "library: the same, not made ahead / Node's spawn of plain true, 200 MB of buffers", ours: "coldLibraryWithBuffers", theirs: "spawnWithBuffers" },
  { name: "library: true in a sandbox made ahead / Node's spawn of plain true, 200 MB of objects", ours: "libraryWithObjects", theirs: "spawnWithObjects" },
  { name: "library: the same, not made ahead / Node's spawn of plain true, 200 MB of objects", ours: "coldLibraryWithObjects", theirs: "spawnWithObjects" },
  { name: "the safe default's plan / the kernel's work alone", ours: "planOfDefault", theirs: "limit" },
  { name: "bwrap, the same walls / the kernel's work alone", ours: "bwrapOfLimit", theirs: "limit" },
  { name: "brig run -- true, repeated / firejail --private true", ours: "repeated", theirs: "firejail" },
  { name: "brig run -- true, repeated / unshare, namespaces alone", ours: "repeated", theirs: "unshare" },
];

/** The design's bar for what a sandbox keeps in memory beyond its payload. */
export const memoryBar = { name: "memory of a running sandbox beyond its payload", bar: 0.5 };

/** The rows whose name or contestants contain the word; all without one. */
export function chooseRows(word: string | undefined): Row[] {
  const wanted = (word ?? "").toLowerCase();
  return rows.filter(({ name, ours, theirs }) => [name, ours, theirs].some((text) => text.toLowerCase().includes(wanted)));
}
