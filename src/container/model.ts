/**
 * A container as it stands on the disk and as the Docker Engine API (version 1.43) tells it: the same names, so that
 * `inspect`, the API and other programs that know them need no translation.
 */
export interface Container {
  /** 64 hex digits. */
  Id: string;
  /** Without the API's leading slash. */
  Name: string;
  /** RFC 3339, UTC. */
  Created: string;
  /** "sha256:…" of the image's config, and the reference by which it was asked for. */
  ImageId: string;
  ImageRef: string;
  /** The image's unpacked layers, topmost first: absolute folders that nobody changes. */
  Layers: string[];
  Config: ContainerConfig;
  HostConfig: HostConfig;
  /** What the container's last run left, where the run folder does not tell it. */
  State: StoredState;
  /** What it has on its network; what is left out is chosen at each start. */
  Endpoint: ContainerEndpoint;
  /** Volumes and binds, decided when it was created. */
  Mounts: ContainerMount[];
}

export interface ContainerConfig {
  Hostname: string;
  Domainname?: string;
  /** "NAME|UID[:NAME|GID]", names of the image; "" is root. */
  User: string;
  Tty: boolean;
  OpenStdin: boolean;
  StdinOnce?: boolean;
  AttachStdin?: boolean;
  AttachStdout?: boolean;
  AttachStderr?: boolean;
  /** "NAME=VALUE". */
  Env: string[];
  Cmd: string[];
  Entrypoint: string[];
  WorkingDir: string;
  Labels: Record<string, string>;
  ExposedPorts: Record<string, object>;
  Volumes: Record<string, object>;
  StopSignal?: string;
  /** Seconds. */
  StopTimeout?: number;
  Healthcheck?: Healthcheck;
}

/** Times are nanoseconds, as in the API; 0 is the default. */
export interface Healthcheck {
  /** ["NONE"], ["CMD", …], ["CMD-SHELL", TEXT]. */
  Test: string[];
  Interval?: number;
  Timeout?: number;
  StartPeriod?: number;
  Retries?: number;
}

export interface HostConfig {
  NetworkMode: string;
  /** "80/tcp" to the places on the host. */
  PortBindings: Record<string, { HostIp: string; HostPort: string }[]>;
  PublishAllPorts?: boolean;
  RestartPolicy: { Name: "no" | "always" | "on-failure" | "unless-stopped"; MaximumRetryCount: number };
  AutoRemove: boolean;
  CapAdd: string[];
  CapDrop: string[];
  Dns: string[];
  DnsOptions: string[];
  DnsSearch: string[];
  ExtraHosts: string[];
  GroupAdd: string[];
  /** "", "private", "host", "shareable", "container:ID". */
  IpcMode: string;
  PidMode: string;
  UTSMode: string;
  /** "": brig's own range; "host": none. */
  UsernsMode: string;
  Privileged: boolean;
  ReadonlyRootfs: boolean;
  SecurityOpt: string[];
  /** Place to options, "size=64m,mode=1777". */
  Tmpfs: Record<string, string>;
  /** Bytes. */
  ShmSize: number;
  Sysctls: Record<string, string>;
  Memory: number;
  MemorySwap: number;
  MemoryReservation: number;
  NanoCpus: number;
  CpuShares: number;
  CpuPeriod: number;
  CpuQuota: number;
  CpusetCpus: string;
  CpusetMems: string;
  /** 0: brig's default; -1: none. */
  PidsLimit: number;
  Ulimits: { Name: string; Soft: number; Hard: number }[];
  Devices: { PathOnHost: string; PathInContainer: string; CgroupPermissions: string }[];
  OomScoreAdj: number;
  OomKillDisable?: boolean;
  Init: boolean;
  LogConfig: { Type: string; Config: Record<string, string> };
  /** brig's own: milliseconds until the container is stopped; 0 is never. */
  TimeoutMs: number;
}

export interface ContainerEndpoint {
  /** "10.1.2.3". */
  ip?: string;
  ip6?: string;
  mac?: string;
  /** What the network's other members call it, besides its name, its host name and its id. */
  aliases?: string[];
}

export interface ContainerMount {
  Type: "bind" | "volume" | "tmpfs";
  /** A volume's. */
  Name?: string;
  /** On the host; "" for a tmpfs. */
  Source: string;
  Destination: string;
  RW: boolean;
  /** "U": files keep their owners as the container sees them. */
  Mode: string;
  Propagation?: string;
  /** The options of mount(8), for a tmpfs. */
  Options?: string;
}

export interface StoredState {
  /** RFC 3339; "0001-01-01T00:00:00Z" is never. */
  StartedAt: string;
  FinishedAt: string;
  ExitCode: number;
  OOMKilled: boolean;
  Error: string;
  RestartCount: number;
  /** It was stopped by hand: `unless-stopped` leaves it alone. */
  Stopped: boolean;
}

export const NEVER = "0001-01-01T00:00:00Z";

export function makeHostConfig(): HostConfig {
  return {
    NetworkMode: "default", PortBindings: {}, RestartPolicy: { Name: "no", MaximumRetryCount: 0 }, AutoRemove: false,
    CapAdd: [], CapDrop: [], Dns: [], DnsOptions: [], DnsSearch: [], ExtraHosts: [], GroupAdd: [],
    IpcMode: "private", PidMode: "", UTSMode: "", UsernsMode: "", Privileged: false, ReadonlyRootfs: false, SecurityOpt: [],
    Tmpfs: {}, ShmSize: 64 * 2 ** 20, Sysctls: {}, Memory: 0, MemorySwap: 0, MemoryReservation: 0, NanoCpus: 0, CpuShares: 0,
    CpuPeriod: 0, CpuQuota: 0, CpusetCpus: "", CpusetMems: "", PidsLimit: 0, Ulimits: [], Devices: [], OomScoreAdj: 0, Init: false,
    LogConfig: { Type: "json-file", Config: {} }, TimeoutMs: 0,
  };
}

export function makeConfig(): ContainerConfig {
  return {
    Hostname: "", User: "", Tty: false, OpenStdin: false, Env: [], Cmd: [], Entrypoint: [], WorkingDir: "", Labels: {},
    ExposedPorts: {}, Volumes: {},
  };
}
