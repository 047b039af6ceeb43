import type { Spec } from "./oci.js";

/**
 * What OCI lacks. In a config.json each field stands under its own annotation, `dev.brig.FIELD`, as JSON;
 * in memory it is read with `readExtension` and written with `writeExtension`.
 */
export interface Extension {
  /** Who asked for what: a JSON pointer into the document ("/mounts/3") to its origin; a field's own beats its parent's. */
  origins?: Record<string, Origin>;
  /** How the root is made when `root.path` does not name a folder: an empty tmpfs (size in bytes). */
  rootTmpfs?: { size?: number };
  /** The root is an overlay of these folders, in place of `root.path`. */
  rootLayers?: RootLayers;
  /** Entries made in the new root before and between mounts, in this order. */
  files?: RootEntry[];
  landlock?: Landlock;
  /** Bring `lo` up in a new network namespace. */
  loopback?: boolean;
  /** Keep a small init as pid 1 that reaps, forwards signals and reports the payload's true status. */
  init?: boolean;
  /** A new session keyring. */
  keyring?: boolean;
  /** "auto": a terminal of its own for those of descriptors 0-2 that are terminals. "plain": share the caller's. */
  terminal?: "auto" | "always" | "never" | "plain";
  /** Milliseconds until the stop signal, and from there to SIGKILL. */
  timeout?: { ms: number; graceMs?: number };
  stopSignal?: string;
  /** Everything dies when the process that started the sandbox dies. */
  dieWithParent?: boolean;
  parentDeathSignal?: string;
  /** Outgoing network through a user-space stack, beyond namespaces. */
  network?: Network;
  /** Where the payload's program is looked for, in order (absolute paths in the root); without it `process.args[0]` is. */
  candidates?: string[];
  /** Descriptors of the caller that the payload keeps, beyond 0-2. */
  keepFds?: number[];
  securebits?: number;
  /** The sandbox ends with its last process and not with its first; whose status is its own. */
  outlast?: "last" | "first";
  /** What `maskedPaths` hides cannot be opened (EACCES) by whoever obeys modes; without it, it is empty. */
  denyMasked?: boolean;
  /** The sandbox as brig shows it. */
  name?: string;
  detach?: boolean;
  /** Its folder with the exit status and the log stays when the payload ends, until `brig rm`. */
  keep?: boolean;
  /** Lines for standard error at each start. */
  says?: string[];
  /** Decisions of the policy that a person might not expect, as sentences for `explain`. */
  notes?: string[];
  /**
   * An overlay over folders that the payload may write, of absolute host paths; what becomes of it is the front-end's
   * business. `place` is an empty folder where a clone of `lower` with mapped ids is mounted to stand for it.
   */
  overlay?: { lower: string; upper: string; work: string; destination: string; place?: string }[];
  /** The caller is shown the sandbox by its monitor, which goes on without the caller. */
  attached?: boolean;
  /** A container's folder, which outlives its runs: its exit status, its log and its compiled plan are in it. */
  container?: ContainerFolder;
  /** Capture of output and log in a detached sandbox. */
  log?: { maxBytes?: number };
  /** Nothing is cloned: the launcher becomes the payload (unshare, nsenter, chroot, netns exec). */
  inPlace?: boolean;
  /**
   * chroot(2) into this folder in place of a pivot (brig chroot); the host can still be reached from inside.
   * `held`: it is opened before any namespace is joined (nsenter --root).
   */
  chroot?: { path: string; skipChdir?: boolean; held?: boolean };
  /**
   * The working folder when it is not simply `process.cwd`. "stay": nothing changes it, `process.cwd` only tells where
   * that is. "held": `process.cwd` is opened before any namespace is joined (nsenter --wd).
   */
  cwd?: "stay" | "held";
  /**
   * A soft tool (unshare, nsenter, chroot, netns): it has no state folder, `brig ps` does not list it, and whatever the
   * spec does not set is the caller's: capabilities, groups, root. Its mounts are made where the caller is when it has
   * no mount namespace of its own, and never create the folders that they are made on.
   */
  stateless?: boolean;
  /** What /proc/PID/setgroups gets in a new user namespace, whatever the gid map needs (unshare --setgroups). */
  setgroups?: "allow" | "deny";
  /** Host mounts that are let go of (MNT_DETACH) before `mounts` are made, in the payload's mount namespace. */
  unmount?: string[];
  /** The words of the tool that brig stands for, when a step fails. */
  voice?: Voice;
  /** Files that keep new namespaces alive: bind mounts made on the host. */
  persist?: { type: "pid" | "net" | "mnt" | "ipc" | "uts" | "user" | "cgroup" | "time"; path: string }[];
  /**
   * The payload's system calls are told, before they happen, on this descriptor of the launcher's caller: struct
   * watch_event of launcher/plan.h. "walls": every wall holds. "open": what seccomp would refuse is told and happens.
   */
  watch?: { fd: number; mode: "walls" | "open" };
  /** The first process ends at once: only what it set up stays (netns add). */
  noPayload?: boolean;
  /** The environment is put together at each start: the caller's without `unset`, or none, and `process.env` on top of it. */
  environment?: { inherit: boolean; unset: string[] };
  /** The working folder is the first of these that is there, and PWD says which; in place of `process.cwd`. */
  cwdCandidates?: string[];
  /** What is made in the root has exactly its mode: the caller's umask counts for the payload alone. */
  exactModes?: boolean;
  /** Binds are looked up by the sandbox's first process, with its rights, though the caller could reach more. */
  bindsInside?: boolean;
  /** Binds that are passed over where their source is missing, by their place in `mounts`. */
  optionalBinds?: number[];
  /**
   * Overlays whose upper side is a new tmpfs, by their place in `mounts`. `place` is a folder of the host, above none of
   * the lower ones, on which it is mounted for a moment.
   */
  overlayOnTmpfs?: { mount: number; place: string }[];
  /** What descriptors of the caller are for; a mount's source "/proc/self/fd/N" is one too. */
  descriptors?: Descriptors;
  /**
   * The payload is in a user namespace within the one that owns the mounts: its ids, and whether that is the last one
   * (user.max_user_namespaces, namespaces(7)).
   */
  nestedUsers?: { uid: number; gid: number; last: boolean };
  /** A file of a user namespace that is joined when everything is set up. */
  joinUsersLast?: string;
  /** An error where a user namespace can still be made when everything is set up. */
  noUserNamespaces?: boolean;
  /** Files of the root on which init holds a read lock (fcntl(2)). */
  locks?: string[];
  /** An X display that only this sandbox has a cookie for. */
  display?: Display;
  /** Overlays of several layers; each stands among `mounts` as one of the type "overlay". */
  layeredOverlays?: LayeredOverlay[];
  /** The root is a file system in a file or block device; `map`: the owners in it are the sandbox's own ids. */
  rootImage?: { path: string; type: string; offset: number; size: number; readonly: boolean; map: boolean };
  /** The sandbox is a machine: docs/architecture.md, "Machines". */
  machine?: Machine;
}

/** An overlay by its layers, absolute folders of the host. */
export interface LayeredOverlay {
  /** Its place in `mounts`. */
  mount: number;
  /** The uppermost first. */
  lower: string[];
  /** Where what is written goes; `work` is beside it. Neither: nothing can be written, or with `scratch` a new tmpfs. */
  upper?: string;
  work?: string;
  scratch?: boolean;
  /** The owners in the layers are the sandbox's own ids. */
  map: boolean;
  /** A folder of the host that is above no layer: covered for a moment, in the sandbox's mount namespace. */
  place: string;
}

/** A sandbox whose payload is a whole system, or stands in the place of one; it is found by `name`, which is the machine's. */
export interface Machine {
  /** The folder or the image on the host that its root was made from. */
  root: string;
  class: "container";
  /** "8-4-4-4-12" hex digits; what `/etc/machine-id` is set to where it is not yet. */
  uuid: string;
  /** Its first process is an init, and can be asked to end with `stopSignal`. */
  boot: boolean;
  /** "interactive": shown, and typed to. "read-only": shown. "passive": neither, and found by `brig attach`. "pipe": there is none. */
  console: "interactive" | "read-only" | "passive" | "pipe";
  /** One that reboots is started again. */
  reboots?: boolean;
  /** Said at the start, at its end by itself with status 0, with another, by a signal, powered off, rebooting, asked to end. */
  sayings?: [begin: string, well: string, failed: string, killed: string, poweredOff: string, reboots: string, stopping: string];
  /** Folders and files of the host on which a lock is held (flock(2)) as long as it lives. */
  locks?: { path: string; exclusive: boolean }[];
  /** It gets cgroups of its own to manage: of version 2, or the named hierarchy "systemd" of version 1. */
  delegate?: "unified" | "systemd";
  /** Links of the host that were made for it. */
  links?: string[];
}

/**
 * An X display, as the payload sees it: DISPLAY is ":200" (`DISPLAY_NUMBER`), whose socket is all that is in
 * /tmp/.X11-unix; XAUTHORITY names "Xauthority" in `folder`.
 */
export interface Display {
  /** A folder of the root that is made for the cookie; or that of the sockets, where the root is the host's own. */
  folder: string;
  /**
   * A server for this sandbox alone, in a sandbox of its own: `spec` is that one's, of which `DISPLAY_SOCKETS` and
   * `DISPLAY_COOKIES` are sources of mounts. The server writes to descriptor 3 when it is ready.
   */
  server?: Spec;
  /**
   * The host's display: an absolute socket, and the file with the cookies for it. Without `server` the payload gets it
   * with a cookie made for it, as a client that the X server does not trust (SECURITY extension); with one, its server
   * has its window there.
   */
  host?: { socket: string; number: number; cookies?: string };
}

/** Of no server of the host's, so that their abstract sockets, which clients try first, are never taken for it. */
export const DISPLAY_NUMBER = 200;

/** In a display server's spec: the folder where its socket is to be, and the one with "Xauthority" and "host". */
export const DISPLAY_SOCKETS = "/proc/self/cwd/socket";
export const DISPLAY_COOKIES = "/proc/self/cwd/server";
/** An image's unpacked layers and a container's own folder above them: absolute host paths, the topmost layer first. */
export interface RootLayers {
  lower: string[];
  /** Both in one folder; without them the root is read-only. */
  upper?: string;
  work?: string;
  /** A folder with empty folders "0", "1", … (one a layer) and "rw", on which clones with mapped ids are mounted. */
  places: string;
}

export interface ContainerFolder {
  /** Absolute. */
  folder: string;
  /** When its monitor starts it again, by the file `plan` in the folder. */
  restart?: "on-failure" | "always";
  /** How often at most. */
  retries?: number;
  /** The folder is removed at the end, together with this link to it. */
  link?: string;
}

/** Descriptors of the caller by number, as bwrap(1) uses them. */
export interface Descriptors {
  /** The payload gets all that the caller left open but these. */
  passAllBut?: number[];
  /** The supervisor keeps them open until the sandbox's end. */
  hold?: number[];
  /** Gets the first process's pid and namespaces, as one JSON object. */
  info?: number;
  /** The same as a line, and the exit status as another. */
  status?: number;
  /** The payload waits until there is a byte or an end. */
  waitFor?: number;
  /** The first process does: meanwhile others write its id maps. */
  waitForMaps?: number;
  /** Seccomp filters (arrays of struct sock_filter), in the order in which they are loaded. */
  seccomp?: number[];
}

/**
 * How a failure is told when brig stands for another tool, so that scripts which read that tool's messages and exit
 * statuses go on working. The kernel's answer follows behind ": ".
 */
export interface Voice {
  /** What a message begins with: "unshare: ", or "" as for `ip netns`. */
  prefix: string;
  /** Exit status when a step fails. */
  exitCode: number;
  /**
   * JSON pointer of a setting to what is said when a step for it fails: "cannot change root directory to '/x'". One
   * with "#" and a system call behind it ("/process/user#setgroups") is for that call alone; "" is for all others.
   */
  sayings: Record<string, string>;
  /** Those of them that are all there is to say: the kernel's answer means nothing. */
  whole?: string[];
  /** What is said when the program cannot be executed, and the statuses: 127 and 126, or one and the same for both. */
  exec: { saying: string; notFound: number; other: number };
}

/** Where a setting came from. */
export interface Origin {
  kind: "flag" | "profile" | "image" | "config" | "default" | "tool";
  /** As the person wrote it: "--read /srv", "private-tmp", or why it is a default. */
  text: string;
  file?: string;
  /** One-based. */
  line?: number;
}

/**
 * Something in the new root besides mounts. It is made behind the last mount that lies above it; with `after` behind
 * that many of `mounts`.
 */
export type RootEntry =
  | { type: "dir"; path: string; mode?: number; uid?: number; gid?: number; after?: number }
  | { type: "file"; path: string; mode?: number; content: string; after?: number }
  | { type: "symlink"; path: string; target: string; after?: number }
  /** What is read from a descriptor of the caller, as a file; or as a file of its own that is bound at the path. */
  | { type: "copy"; path: string; mode: number; fd: number; after?: number }
  | { type: "data"; path: string; mode: number; fd: number; readonly?: boolean; after?: number }
  /** A machine-id(5) that is another one at each start, read-only, over what is there. */
  | { type: "machineId"; path: string; after?: number }
  | { type: "chmod"; path: string; mode: number; after?: number }
  /** A random UUID, new at each start. */
  | { type: "uuid"; path: string; mode: number; after?: number }
  /** In place of what is there: a file, but with `unlessLink` not of a symbolic link; or a link to `target`. */
  | { type: "replace"; path: string; content: string; unlessLink?: boolean; optional?: boolean; after?: number }
  | { type: "remove"; path: string; optional?: boolean; after?: number }
  | { type: "relink"; path: string; target: string; optional?: boolean; after?: number }
  /** Another place of the root, shown here too; writable again where that is read-only, unless it says so. */
  | { type: "bind"; path: string; source: string; readonly?: boolean; optional?: boolean; after?: number }
  /** A datagram socket on which the payload tells that it is ready (sd_notify(3)). */
  | { type: "notify"; path: string; after?: number }
  /** The mount at the path, and none below it, becomes read-only. */
  | { type: "readonly"; path: string; after?: number };

/** Landlock (landlock(7)): what is not named is refused. A field left out is not handled at all. */
export interface Landlock {
  /** Paths in the payload's root. */
  read?: string[];
  write?: string[];
  execute?: string[];
  /** TCP ports that bind(2) and connect(2) may use; an empty list refuses all. */
  bindTcp?: number[];
  connectTcp?: number[];
  /** Abstract unix sockets and signals stay inside (ABI 6). */
  scopes?: ("abstract-unix-socket" | "signal")[];
  /** Less than this ABI is an error; the rules that a lower one lacks are said in `explain`. Default 1. */
  minimumAbi?: number;
  /** A host without Landlock goes without it; otherwise that is an error. */
  optional?: boolean;
}

export interface Network {
  /**
   * "user": outgoing through pasta, or with `filter` through brig's gateway. The others are links that only root can
   * make: "veth" to the host, "bridge" to one of its bridges, "macvlan" on one of its interfaces, "interfaces" whatever
   * `interfaces` has. "named": `networks`.
   */
  mode: "none" | "host" | "user" | "veth" | "bridge" | "macvlan" | "interfaces" | "named" | "links";
  /** Bare links, as systemd-nspawn makes them: who is inside gives them addresses. */
  links?: HostLink[];
  interfaces?: NetworkInterface[];
  /** Loaded into the sandbox's own network when its interfaces are there. */
  rules?: NetworkRules[];
  /** Only these places can be reached. */
  filter?: NetworkFilter;
  link?: NetworkLink;
  /** For pasta, and for named networks, where 0 is a port of the host that is chosen: published ports. */
  ports?: { host: number; guest: number; protocol: "tcp" | "udp"; address?: string }[];
  /** Named networks (`brig network`), written by `joinNetworks` of src/network; the first has the default route. */
  networks?: NetworkMember[];
  /** With named networks: resolvers that are asked what none of their members is called; the host's without it. */
  servers?: string[];
}

/**
 * A link of a machine: a veth pair, its host's side on a bridge where one is named (with `zone` made when it is missing,
 * and removed with its last link); something on an interface of the host; or that interface itself, which goes back.
 */
export type HostLink =
  | { kind: "veth"; host: string; inner: string; bridge?: string; zone?: boolean; hostMac?: string; mac?: string }
  | { kind: "macvlan" | "ipvlan"; on: string; inner: string }
  | { kind: "interface"; name: string; inner: string };

/** A place in a named network: what the network is, copied from its definition, and what the sandbox has there. */
export interface NetworkMember {
  name: string;
  /** Of the network: 64 hex digits. */
  id: string;
  driver: "bridge" | "macvlan" | "ipvlan";
  /** The network's own bridge, or the host's interface that a macvlan or ipvlan is on. */
  device: string;
  /** "10.89.1.0/24", its router, and the part of it that addresses are chosen from. */
  subnet: string;
  gateway?: string;
  range?: string;
  subnet6?: string;
  gateway6?: string;
  /** No way out, and none in. */
  internal?: boolean;
  /** Its members do not reach each other. */
  isolated?: boolean;
  /** Its addresses are seen outside as they are. */
  routed?: boolean;
  mtu?: number;
  /** The sandbox's; those that are left out are chosen. */
  address?: string;
  address6?: string;
  mac?: string;
  /** What the other members call it, beside its name, its host name and its id. */
  aliases?: string[];
}

/** What may be reached, in the words of `--allow-host` and `--deny-host`; nothing in `allow` is nothing at all. */
export interface NetworkFilter {
  allow: string[];
  deny: string[];
  /** Ports of the host's own loopback that were named; on others 127.0.0.1 is the sandbox's. */
  loopback?: { address: string; first: number; last: number }[];
  /** Ports of UDP that some rule names. */
  udp?: { first: number; last: number }[];
  /** Resolvers that are asked, "10.0.0.1" or "10.0.0.1:5353"; without them the host's. */
  servers?: string[];
  /** A file on the host that gets a line of JSON for each attempt, beside the one in the state folder. */
  log?: string;
}

/** One of several interfaces, with an address that nobody else on its network has. */
export interface NetworkInterface {
  /** A link to a bridge, one on an interface, or that interface itself, which goes back at the end. */
  kind: "bridge" | "macvlan" | "ipvlan" | "move";
  /** The host's bridge or interface. */
  on: string;
  /** Inside; a moved one keeps its own. */
  name?: string;
  /** The host's end of a link to a bridge. */
  hostName?: string;
  /** "10.1.2.3", or "none"; without it a free one is chosen of the network that `on` is in, or of `range`. */
  address?: string;
  /** Of the network, where it is not the one of `on`. */
  bits?: number;
  range?: [first: string, last: string];
  /** "fd00::2/64". */
  address6?: string;
  mac?: string;
  mtu?: number;
}

/** Rules of a firewall: of nft(8), or as iptables-save(8) writes them. */
export interface NetworkRules {
  language: "nft" | "iptables" | "ip6tables";
  text: string;
}

/** The sandbox's interface; what is left out is chosen. */
export interface NetworkLink {
  /** The host's bridge, or the interface that a macvlan is on. */
  on?: string;
  /** "10.1.2.3/24". */
  address?: string;
  gateway?: string;
  mtu?: number;
  mac?: string;
  dns?: string[];
  /** Where the payload finds its resolv.conf. */
  resolver?: string;
  /** Bits in a second. */
  download?: number;
  upload?: number;
  /** veth and brig's own bridge: the host's side, "10.1.2.1/24"; NAT to the outside. */
  host?: string;
}

const PREFIX = "dev.brig.";

/** The extension that stands in the document's annotations. */
export function readExtension(spec: Spec): Extension {
  const extension: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(spec.annotations ?? {}))
    if (name.startsWith(PREFIX)) extension[name.slice(PREFIX.length)] = JSON.parse(value);
  return extension as Extension;
}

/** A copy of the document with this extension in its annotations, in place of the one it had. */
export function writeExtension(spec: Spec, extension: Extension): Spec {
  const kept = Object.entries(spec.annotations ?? {}).filter(([name]) => !name.startsWith(PREFIX));
  const written = Object.entries(extension)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [PREFIX + name, JSON.stringify(value)]);
  return { ...spec, annotations: Object.fromEntries([...kept, ...written]) };
}
