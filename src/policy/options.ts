/**
 * What a person or program says of a sandbox: the library's options, the command's flags and a profile's keys are
 * these same fields. Anything left out has the safe default. `src/policy` turns them into an OCI runtime spec.
 */
export interface SandboxOptions {
  /** Host paths that the payload may read, at the same place inside. A path beginning with "~/" is the user's home. */
  read?: string[];
  /** Host paths that it may read and write. */
  write?: string[];
  /** Paths inside that appear empty and unreadable. */
  hide?: string[];
  /** Empty folders in memory: "/cache" or "/cache:size=64MiB,mode=0755". */
  tmpfs?: string[];
  /** "SRC:DST", "SRC:DST:ro" (a host path at another place). */
  bind?: string[];
  /** A folder on the host that becomes the root, in place of the host's system folders. */
  root?: string;
  /** In a root of its own: "auto" (default): the host's resolv.conf when there is a network; "bind": always; "off": never. */
  resolvConf?: "auto" | "bind" | "off";
  /** In a root of its own: "bind": the host's time zone in place of the root's. Default "off". */
  timezone?: "bind" | "off";
  /** Working folder inside. Default: the caller's, which is visible read-only unless `write` names it or one above. */
  cwd?: string;
  /** What of the caller's working folder is visible. Default "read". */
  project?: "read" | "write" | "none";
  /** Writes to the working folder and to `write` go to an overlay: dropped, listed, or copied back at the end. */
  ephemeral?: boolean | "diff" | "commit";

  /**
   * "none": loopback only (default). "host": the host's. "user": outgoing through pasta. "netns=NAME": a named one.
   * As root also "veth": a link to the host with NAT, "bridge": on brig's own bridge with NAT, "bridge=NAME": on one of
   * the host's, "macvlan=INTERFACE", and networks of `brig network`: "front:ip=10.1.2.3,alias=db,back".
   */
  net?: string;
  /**
   * Only these can be reached, whatever program and protocol: "registry.npmjs.org:443", "*.debian.org", "10.1.0.0/16:5432".
   * Without a port, 80 and 443. An empty list is nothing at all.
   */
  allowHosts?: string[];
  /** Never these; without `allowHosts` everything else that has a name. */
  denyHosts?: string[];
  /** A file that gets a line of JSON for everything that was tried with `allowHosts` or `denyHosts`. */
  netLog?: string;
  /** Resolvers in place of the host's. */
  dns?: string[];
  /** The sandbox's own address, "10.1.2.3/24", and its router's. */
  ip?: string;
  gateway?: string;
  mtu?: number;
  mac?: string;
  /** "10mbit", or "10mbit:1mbit" for down and up. */
  bandwidth?: string;
  /** Ports published with `net: "user"` or a network of `brig network`: "8080:80", "127.0.0.1:8080:80/tcp". */
  publish?: string[];

  /**
   * A display for windows. "xvfb": an X server of its own with a screen in memory. "xephyr": one in a window on the
   * host's display. "host": the host's, as a client that it does not trust. "auto" or true: "host" where DISPLAY names
   * one, else "xvfb". "none" or false: an error where the host's could be reached.
   */
  x11?: boolean | "auto" | "xvfb" | "xephyr" | "host" | "none";
  /** "1280x800": the screen of "xvfb" and "xephyr". */
  x11Size?: string;
  /** The socket of the caller's Wayland compositor. */
  wayland?: boolean;
  /** The sockets of the caller's PulseAudio and PipeWire. */
  audio?: boolean;

  /** "NAME=value", "NAME" (taken from the caller), or an object. Beyond the default list (PATH, TERM, LANG, LC_*, TZ, COLORTERM, NO_COLOR, USER, LOGNAME, HOME, SHELL). */
  env?: string[] | Record<string, string>;
  /** Take the caller's whole environment. */
  inheritEnv?: boolean;

  /** Bytes or "512MiB". Default: half of the host's memory where the host can limit it. "none" for no limit. */
  memory?: number | string;
  /** Processes and threads. Default 1024. */
  pids?: number | "none";
  /** Processors' worth of time: 1.5. */
  cpus?: number;
  /** "0-3,7". */
  cpuset?: string;
  /** Milliseconds or "30s": then the stop signal, and SIGKILL after `graceMs`. */
  timeoutMs?: number | string;
  graceMs?: number | string;
  /** "nofile=1024:4096", "core=0". */
  rlimits?: string[];
  nice?: number;
  oomScoreAdj?: number;

  /** "UID[:GID]" or a name known inside. Default: the caller's; for root, uid 0 of a user namespace, nobody outside. */
  user?: string;
  hostname?: string;
  /** Kept capabilities, "CAP_NET_RAW" or "net_raw"; "all". Default none. */
  capAdd?: string[];
  capDrop?: string[];
  /** Payload may gain privileges through setuid files. Default false. */
  newPrivileges?: boolean;
  /** "default", "nested" (for programs that make sandboxes of their own), "none", or a file with OCI seccomp JSON. */
  seccomp?: string;
  /** "auto" (where the kernel has it), "require", "none". Default "auto". */
  landlock?: "auto" | "require" | "none";
  /** Namespaces shared with the host: "pid", "ipc", "uts", "net", "user", "cgroup", "mount", "time". */
  share?: string[];
  sysctl?: Record<string, string>;
  /** Devices beyond the harmless six: "/dev/kvm". */
  devices?: string[];
  umask?: number | string;

  /** "auto" (default): a terminal of its own when the caller has one. */
  tty?: "auto" | "always" | "never";
  /** pid 1 of brig's own. Default true. */
  init?: boolean;
  name?: string;
  detach?: boolean;
  /** Keep the stopped sandbox's folder until `brig rm`. Default: only when detached. */
  keep?: boolean;
  /** Everything dies with the process that started it. Default: true unless detached. */
  dieWithParent?: boolean;
  labels?: Record<string, string>;
}
