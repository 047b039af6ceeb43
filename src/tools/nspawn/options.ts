/** What systemd-nspawn(1) of systemd 252 was asked for, on the command line or in a settings file. */
export interface NspawnOptions {
  directory?: string;
  image?: string;
  template?: string;
  ephemeral?: boolean;
  readOnly?: boolean;
  volatile?: Volatile;
  /** --pivot-root=NEW[:OLD] */
  pivotRoot?: { root: string; old?: string };

  /** "run": the words are a program, which is pid 1. "pid2": likewise, behind a small init. "boot": an init of the root is searched for. */
  mode?: "run" | "pid2" | "boot";
  command: string[];
  chdir?: string;
  environment: { name: string; value: string | undefined }[];
  user?: string;
  killSignal?: string;
  notifyReady?: boolean;

  machine?: string;
  hostname?: string;
  uuid?: string;

  users?: PrivateUsers;
  ownership?: "off" | "chown" | "map" | "auto";

  privateNetwork?: boolean;
  veth?: boolean;
  vethExtra: { host: string; inner: string }[];
  bridge?: string;
  zone?: string;
  macvlan: { on: string; inner: string }[];
  ipvlan: { on: string; inner: string }[];
  interfaces: { name: string; inner: string }[];
  namespacePath?: string;
  ports: { protocol: "tcp" | "udp"; host: number; inner: number }[];

  addCapabilities: string[];
  dropCapabilities: string[];
  ambientCapabilities: string[];
  noNewPrivileges?: boolean;
  allowedCalls: string[];
  deniedCalls: string[];
  selinuxContext?: string;
  selinuxApifsContext?: string;

  rlimits: { type: string; soft: number; hard: number }[];
  oomScoreAdjust?: number;
  cpuAffinity?: string;
  personality?: "x86-64" | "x86" | "arm64" | "arm";

  resolvConf?: ResolvConf;
  timezone?: Timezone;
  linkJournal?: LinkJournal;
  mounts: CustomMount[];
  bindUsers: string[];
  credentials: { id: string; value: string }[];

  console?: "interactive" | "read-only" | "passive" | "pipe";
  quiet?: boolean;
  settings?: "yes" | "no" | "override" | "trusted";
  register?: boolean;
  keepUnit?: boolean;
  slice?: string;
  properties: string[];
}

export type Volatile = "no" | "yes" | "state" | "overlay";
export type Timezone = "off" | "copy" | "bind" | "symlink" | "delete" | "auto";
export type LinkJournal = "no" | "host" | "try-host" | "guest" | "try-guest" | "auto";

export const RESOLV_CONF_MODES = [
  "off", "copy-host", "copy-static", "copy-uplink", "copy-stub", "replace-host", "replace-static", "replace-uplink", "replace-stub",
  "bind-host", "bind-static", "bind-uplink", "bind-stub", "delete", "auto",
] as const;
export type ResolvConf = (typeof RESOLV_CONF_MODES)[number];

/** "fixed": these ids of the host. "owner": those that the owner of the root begins. "pick": that, or free ones. */
export type PrivateUsers = { kind: "no" | "pick" | "owner" | "identity" } | { kind: "fixed"; base: number; count: number };

export type CustomMount =
  | { kind: "bind"; source: string; destination: string; readOnly: boolean; optional: boolean; recursive: boolean; idmap: "no" | "id" | "rootid"; text: string }
  | { kind: "tmpfs"; destination: string; options: string[]; text: string }
  | { kind: "overlay"; lower: string[]; upper: string | undefined; destination: string; text: string }
  | { kind: "inaccessible"; destination: string; text: string };

/** All of systemd-nspawn's own failures. */
export const EXIT_FAILURE = 1;

export function emptyOptions(): NspawnOptions {
  return {
    command: [], environment: [], vethExtra: [], macvlan: [], ipvlan: [], interfaces: [], ports: [], addCapabilities: [], dropCapabilities: [],
    ambientCapabilities: [], allowedCalls: [], deniedCalls: [], rlimits: [], mounts: [], bindUsers: [], credentials: [], properties: [],
  };
}
