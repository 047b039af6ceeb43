import { constants } from "node:os";
import * as z from "zod";
import { specSchema } from "./schema.js";
import { absolutePath, id, mode, oneOf, text } from "./schema-parts.js";

const port = z.int().min(0).max(65535);
const openPort = z.int().min(1).max(65535);
const paths = z.array(absolutePath).exactOptional();
const flag = z.boolean().exactOptional();
const realTime = Array.from({ length: 31 }, (_, index) => (index === 0 ? "SIGRTMIN" : `SIGRTMIN+${index}`));
const signal = oneOf([...Object.keys(constants.signals), ...realTime]);
const status = z.int().min(0).max(255);

const origin = z.strictObject({
  kind: z.enum(["flag", "profile", "image", "config", "default", "tool"]),
  text: z.string(),
  file: text.exactOptional(),
  line: z.int().min(1).exactOptional(),
});

const after = z.int().min(0).max(4096).exactOptional();
const descriptor = z.int().min(0).max(1_048_575);
const descriptors = z.array(descriptor).exactOptional();

const kinds = [
  z.strictObject({ type: z.literal("dir"), path: absolutePath, mode: mode.exactOptional(), uid: id.exactOptional(), gid: id.exactOptional(), after }),
  z.strictObject({ type: z.literal("file"), path: absolutePath, mode: mode.exactOptional(), content: z.string(), after }),
  z.strictObject({ type: z.literal("symlink"), path: absolutePath, target: text, after }),
  z.strictObject({ type: z.literal("copy"), path: absolutePath, mode, fd: descriptor, after }),
  z.strictObject({ type: z.literal("machineId"), path: absolutePath, after }),
  z.strictObject({ type: z.literal("data"), path: absolutePath, mode, fd: descriptor, readonly: flag, after }),
  z.strictObject({ type: z.literal("chmod"), path: absolutePath, mode, after }),
  z.strictObject({ type: z.literal("uuid"), path: absolutePath, mode, after }),
  z.strictObject({ type: z.literal("replace"), path: absolutePath, content: z.string(), unlessLink: flag, optional: flag, after }),
  z.strictObject({ type: z.literal("remove"), path: absolutePath, optional: flag, after }),
  z.strictObject({ type: z.literal("relink"), path: absolutePath, target: text, optional: flag, after }),
  z.strictObject({ type: z.literal("bind"), path: absolutePath, source: absolutePath, readonly: flag, optional: flag, after }),
  z.strictObject({ type: z.literal("notify"), path: absolutePath, after }),
  z.strictObject({ type: z.literal("readonly"), path: absolutePath, after }),
] as const;
const entry = z.discriminatedUnion("type", kinds, { error: "must be dir, file, symlink, copy, machineId, data, chmod, uuid, replace, remove, relink, bind, notify or readonly" });

const landlock = z.strictObject({
  read: paths,
  write: paths,
  execute: paths,
  bindTcp: z.array(port).exactOptional(),
  connectTcp: z.array(port).exactOptional(),
  scopes: z.array(z.enum(["abstract-unix-socket", "signal"])).exactOptional(),
  minimumAbi: z.int().min(1).max(64).exactOptional(),
  optional: flag,
});

const ipAddress = z.union([z.ipv4(), z.ipv6()], { error: "must be an IP address" });
/** dev_valid_name() of Linux. */
const INTERFACE = /^(?!\.{1,2}$)[^\s/:"'\\]{1,15}$/;

/** A name that other members look up: what DNS has for host names, and "_". */
const hostLabel = z.string().regex(/^[a-zA-Z0-9]([a-zA-Z0-9_.-]{0,251}[a-zA-Z0-9])?$/, "must be a host name");

const member = z.strictObject({
  name: text,
  id: z.string().regex(/^[0-9a-f]{64}$/, "must be 64 hexadecimal digits"),
  driver: z.enum(["bridge", "macvlan", "ipvlan"]),
  device: z.string().regex(INTERFACE, "must be the name of an interface"),
  subnet: z.cidrv4(),
  gateway: z.ipv4().exactOptional(),
  range: z.cidrv4().exactOptional(),
  subnet6: z.cidrv6().exactOptional(),
  gateway6: z.ipv6().exactOptional(),
  internal: flag,
  isolated: flag,
  routed: flag,
  mtu: z.int().min(68).max(65535).exactOptional(),
  address: z.ipv4().exactOptional(),
  address6: z.ipv6().exactOptional(),
  mac: z.string().regex(/^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/, "must be a MAC address of one interface, in small letters").exactOptional(),
  aliases: z.array(hostLabel).exactOptional(),
});

const interfaceName = z.string().regex(INTERFACE, "must be the name of an interface");
const networkInterface = z.strictObject({
  kind: z.enum(["bridge", "macvlan", "ipvlan", "move"]),
  on: interfaceName,
  name: interfaceName.exactOptional(),
  hostName: interfaceName.exactOptional(),
  address: z.union([z.ipv4(), z.literal("none")], { error: 'must be an IPv4 address or "none"' }).exactOptional(),
  bits: z.int().min(1).max(32).exactOptional(),
  range: z.tuple([z.ipv4(), z.ipv4()]).exactOptional(),
  address6: z.cidrv6().exactOptional(),
  mac: z.string().regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i, "must be a MAC address").exactOptional(),
  mtu: z.int().min(68).max(65535).exactOptional(),
});

const macAddress = z.string().regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i, "must be a MAC address");

const hostLink = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("veth"), host: interfaceName, inner: interfaceName, bridge: interfaceName.exactOptional(), zone: flag,
    hostMac: macAddress.exactOptional(), mac: macAddress.exactOptional(),
  }),
  z.strictObject({ kind: z.enum(["macvlan", "ipvlan"]), on: interfaceName, inner: interfaceName }),
  z.strictObject({ kind: z.literal("interface"), name: interfaceName, inner: interfaceName }),
]);

const network = z.strictObject({
  mode: z.enum(["none", "host", "user", "veth", "bridge", "macvlan", "interfaces", "named", "links"]),
  links: z.array(hostLink).max(32).exactOptional(),
  interfaces: z.array(networkInterface).max(8).exactOptional(),
  rules: z.array(z.strictObject({ language: z.enum(["nft", "iptables", "ip6tables"]), text: z.string() })).exactOptional(),
  filter: z
    .strictObject({
      allow: z.array(text),
      deny: z.array(text),
      loopback: z.array(z.strictObject({ address: z.union([z.ipv4(), z.ipv6()]), first: openPort, last: openPort })).exactOptional(),
      udp: z.array(z.strictObject({ first: openPort, last: openPort })).exactOptional(),
      servers: z.array(text).exactOptional(),
      log: absolutePath.exactOptional(),
    })
    .exactOptional(),
  link: z
    .strictObject({
      on: interfaceName.exactOptional(),
      address: z.union([z.cidrv4(), z.cidrv6()]).exactOptional(),
      gateway: ipAddress.exactOptional(),
      mtu: z.int().min(68).max(65535).exactOptional(),
      mac: z.string().regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i, "must be a MAC address").exactOptional(),
      dns: z.array(ipAddress).exactOptional(),
      resolver: absolutePath.exactOptional(),
      download: z.int().min(8).exactOptional(),
      upload: z.int().min(8).exactOptional(),
      host: z.cidrv4().exactOptional(),
    })
    .exactOptional(),
  ports: z
    .array(z.strictObject({ host: z.int().min(0).max(65535), guest: openPort, protocol: z.enum(["tcp", "udp"]), address: z.union([z.ipv4(), z.ipv6()], { error: "must be an IP address" }).exactOptional() }))
    .exactOptional(),
  networks: z.array(member).min(1).max(32).exactOptional(),
  servers: z.array(ipAddress).exactOptional(),
});

const voice = z.strictObject({
  prefix: z.string(),
  exitCode: status,
  sayings: z.record(z.string(), z.string()),
  whole: z.array(z.string()).exactOptional(),
  exec: z.strictObject({ saying: z.string(), notFound: status, other: status }),
});

const overlay = z.strictObject({ lower: absolutePath, upper: absolutePath, work: absolutePath, destination: absolutePath, place: absolutePath.exactOptional() });

const display = z.strictObject({
  folder: absolutePath,
  server: z.lazy(() => specSchema).exactOptional(),
  host: z.strictObject({ socket: absolutePath, number: z.int().min(0).max(59_535), cookies: absolutePath.exactOptional() }).exactOptional(),
});

const layeredOverlay = z.strictObject({
  mount: z.int().min(0), lower: z.array(absolutePath).min(1), upper: absolutePath.exactOptional(), work: absolutePath.exactOptional(), scratch: flag,
  map: z.boolean(), place: absolutePath,
});

const saying = z.string();
const machine = z.strictObject({
  root: absolutePath,
  class: z.literal("container"),
  uuid: z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, "must be a UUID in lower case"),
  boot: z.boolean(),
  console: z.enum(["interactive", "read-only", "passive", "pipe"]),
  reboots: flag,
  sayings: z.tuple([saying, saying, saying, saying, saying, saying, saying]).exactOptional(),
  locks: z.array(z.strictObject({ path: absolutePath, exclusive: z.boolean() })).max(4).exactOptional(),
  delegate: z.enum(["unified", "systemd"]).exactOptional(),
  links: z.array(text).exactOptional(),
});

/** `Extension` as a schema. It is ours alone, so that a field which it does not know is an error. */
export const extensionSchema = z.strictObject({
  origins: z.record(z.string().regex(/^(\/.*)?$/s, "must be a JSON pointer"), origin).exactOptional(),
  attached: z.boolean().exactOptional(),
  container: z.strictObject({ folder: absolutePath, restart: z.enum(["on-failure", "always"]).exactOptional(), retries: z.int().min(0).exactOptional(), link: absolutePath.exactOptional() }).exactOptional(),
  rootLayers: z.strictObject({ lower: z.array(absolutePath).min(1).max(500), upper: absolutePath.exactOptional(), work: absolutePath.exactOptional(), places: absolutePath }).exactOptional(),
  rootTmpfs: z.strictObject({ size: z.int().min(1).exactOptional() }).exactOptional(),
  files: z.array(entry).exactOptional(),
  landlock: landlock.exactOptional(),
  loopback: flag,
  init: flag,
  keyring: flag,
  terminal: z.enum(["auto", "always", "never", "plain"]).exactOptional(),
  timeout: z.strictObject({ ms: z.int().min(1), graceMs: z.int().min(0).exactOptional() }).exactOptional(),
  stopSignal: signal.exactOptional(),
  dieWithParent: flag,
  parentDeathSignal: signal.exactOptional(),
  network: network.exactOptional(),
  candidates: paths,
  keepFds: z.array(z.int().min(3).max(1_048_575)).exactOptional(),
  outlast: z.enum(["last", "first"]).exactOptional(),
  denyMasked: flag,
  securebits: z.int().min(0).max(0xff).exactOptional(),
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/, "must be 1 to 63 letters, digits, dots, dashes and underscores, a letter or digit first")
    .exactOptional(),
  detach: flag,
  keep: flag,
  says: z.array(z.string()).exactOptional(),
  notes: z.array(z.string()).exactOptional(),
  overlay: z.array(overlay).exactOptional(),
  log: z.strictObject({ maxBytes: z.int().min(0).max(2 ** 32 - 1).exactOptional() }).exactOptional(),
  inPlace: flag,
  chroot: z.strictObject({ path: text, skipChdir: flag, held: flag }).exactOptional(),
  cwd: z.enum(["stay", "held"]).exactOptional(),
  stateless: flag,
  setgroups: z.enum(["allow", "deny"]).exactOptional(),
  unmount: paths,
  voice: voice.exactOptional(),
  persist: z.array(z.strictObject({ type: z.enum(["pid", "net", "mnt", "ipc", "uts", "user", "cgroup", "time"]), path: absolutePath })).exactOptional(),
  noPayload: flag,
  display: display.exactOptional(),
  watch: z.strictObject({ fd: z.int().min(3).max(1_048_575), mode: z.enum(["walls", "open"]) }).exactOptional(),
  environment: z.strictObject({ inherit: z.boolean(), unset: z.array(text) }).exactOptional(),
  cwdCandidates: z.array(text).exactOptional(),
  exactModes: flag,
  bindsInside: flag,
  optionalBinds: z.array(z.int().min(0)).exactOptional(),
  overlayOnTmpfs: z.array(z.strictObject({ mount: z.int().min(0), place: absolutePath })).exactOptional(),
  descriptors: z
    .strictObject({
      passAllBut: descriptors, hold: descriptors, info: descriptor.exactOptional(), status: descriptor.exactOptional(),
      waitFor: descriptor.exactOptional(), waitForMaps: descriptor.exactOptional(), seccomp: descriptors,
    })
    .exactOptional(),
  nestedUsers: z.strictObject({ uid: id, gid: id, last: z.boolean() }).exactOptional(),
  joinUsersLast: absolutePath.exactOptional(),
  noUserNamespaces: flag,
  locks: paths,
  layeredOverlays: z.array(layeredOverlay).exactOptional(),
  rootImage: z
    .strictObject({ path: absolutePath, type: text, offset: z.int().min(0), size: z.int().min(0), readonly: z.boolean(), map: z.boolean() })
    .exactOptional(),
  machine: machine.exactOptional(),
});
