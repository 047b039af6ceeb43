import * as z from "zod";
import { BrigError } from "../error/brig-error.js";
import { parseAllowedHost, parseDeniedHost } from "../network/rules/host-rule.js";
import { parseBandwidth } from "./parse/bandwidth.js";
import { parseBind } from "./parse/bind.js";
import { parseCapabilities } from "./parse/capability.js";
import { parseDuration } from "./parse/duration.js";
import { parseEnv } from "./parse/env.js";
import { parseInterfaceAddress, parsePlainAddress, parseResolver } from "./parse/ip.js";
import { parseMode } from "./parse/mode.js";
import { parsePublish } from "./parse/publish.js";
import { parseRlimit } from "./parse/rlimit.js";
import { parseSize } from "./parse/size.js";
import { parseTmpfs } from "./parse/tmpfs.js";
import { parseUser } from "./parse/user.js";

const MARK = "value";

/** A check that a reader of `src/policy/parse` takes the value: its words are the problem's. */
function readBy<T>(read: (value: T, where: string) => unknown) {
  return (value: T, context: z.core.$RefinementCtx<T>): void => {
    try {
      read(value, MARK);
    } catch (error) {
      if (!(error instanceof BrigError)) throw error;
      context.addIssue({ code: "custom", message: `${error.message.slice(`${MARK}: `.length)}; ${error.hint}` });
    }
  };
}

const text = z.string().min(1);
const path = text;
const words = (read: (value: string, where: string) => unknown) => z.array(z.string().superRefine(readBy(read)));
const time = z.union([z.number(), z.string()], { error: 'must be milliseconds or a time such as "30s"' }).superRefine(readBy(parseDuration));
const size = z
  .union([z.number(), z.string()], { error: 'must be bytes, a size such as "512MiB", or "none"' })
  .superRefine(readBy((value: number | string, where) => value === "none" || parseSize(value, where)))
  .refine((value) => value !== 0 && value !== "0", 'must be more than 0; "none" is no limit');
const cpuList = z.string().regex(/^\d+(-\d+)?(,\d+(-\d+)?)*$/, 'must be a list of processors such as "0-3,7"');
const environment = z
  .union([words(parseEnv), z.record(z.string().regex(/^[^=]+$/, 'a variable\'s name is not empty and has no "="'), z.string())], {
    error: 'must be a list of "NAME=value" and "NAME", or an object of names and values',
  });
const namespaces = ["pid", "ipc", "uts", "net", "user", "cgroup", "mount", "time"];
const namespace = z
  .string()
  .refine((name) => namespaces.includes(name), `must be one of ${namespaces.join(", ")}`)
  .meta({ enum: namespaces });

/** `SandboxOptions` as a schema; the descriptions are those of the published JSON Schema. */
export const optionsSchema = z.strictObject({
  read: z.array(path).describe('Host paths that the payload may read, at the same place inside. "~/" in front is the user\'s home.').exactOptional(),
  write: z.array(path).describe("Host paths that it may read and write.").exactOptional(),
  hide: z.array(path).describe("Paths inside that appear empty and unreadable.").exactOptional(),
  tmpfs: words(parseTmpfs).describe('Empty folders in memory: "/cache" or "/cache:size=64MiB,mode=0755".').exactOptional(),
  bind: words(parseBind).describe('A host path at another place: "SRC:DST" or "SRC:DST:ro"; a colon in a path is written "\\:".').exactOptional(),
  root: path.describe("A folder on the host that becomes the root, in place of the host's system folders.").exactOptional(),
  resolvConf: z.enum(["auto", "bind", "off"]).describe('In a root of its own: whether /etc/resolv.conf is the host\'s. Default "auto": when there is a network.').exactOptional(),
  timezone: z.enum(["bind", "off"]).describe('In a root of its own: "bind" shows the host\'s time zone. Default "off".').exactOptional(),
  cwd: path.describe("Working folder inside. Default: the caller's.").exactOptional(),
  project: z.enum(["read", "write", "none"]).describe('What of the caller\'s working folder is visible. Default "read".').exactOptional(),
  ephemeral: z
    .union([z.boolean(), z.enum(["diff", "commit"])], { error: 'must be true, false, "diff" or "commit"' })
    .describe("Writes go to an overlay: dropped at the end (true), listed (diff), or copied back (commit).")
    .exactOptional(),
  net: z
    .string()
    .regex(/^(none|host|user|netns=[^/\0]+|veth|bridge(=[^/\0]+)?|macvlan=[^/\0]+|[a-zA-Z0-9][\w.-]*([:,][\w.:=,-]+)?)$/, 'must be "none", "host", "user", "netns=NAME", "veth", "bridge", "bridge=NAME", "macvlan=INTERFACE" or a network of brig network')
    .describe('"none": loopback only (default). "host": the host\'s. "user": outgoing through pasta. "netns=NAME": a named namespace. As root: "veth" and "bridge" with NAT, "bridge=NAME", "macvlan=INTERFACE", and networks of brig network, "front:ip=10.1.2.3,alias=db,back".')
    .exactOptional(),
  allowHosts: words(parseAllowedHost).describe('Only these can be reached: "registry.npmjs.org:443", "*.debian.org", "10.1.0.0/16:5432". Without a port, 80 and 443. An empty list is nothing at all.').exactOptional(),
  denyHosts: words(parseDeniedHost).describe("Never these; without allowHosts everything else that has a name.").exactOptional(),
  netLog: path.describe("A file that gets a line of JSON for everything that was tried with allowHosts or denyHosts.").exactOptional(),
  dns: words(parseResolver).describe("Resolvers in place of the host's.").exactOptional(),
  ip: z.string().superRefine(readBy(parseInterfaceAddress)).describe('The sandbox\'s own address: "10.1.2.3/24".').exactOptional(),
  gateway: z.string().superRefine(readBy(parsePlainAddress)).describe("Its router's address.").exactOptional(),
  mtu: z.int().min(68).max(65535).describe("Bytes in a packet of its interface.").exactOptional(),
  mac: z.string().regex(/^[0-9a-fA-F][02468aceACE](:[0-9a-fA-F]{2}){5}$/, "must be six hexadecimal bytes with colons, the first one even").describe("Its interface's hardware address.").exactOptional(),
  bandwidth: z.string().superRefine(readBy(parseBandwidth)).describe('"10mbit", or "10mbit:1mbit" for down and up.').exactOptional(),
  publish: words(parsePublish).describe('Ports published with net "user" or a network of brig network: "8080:80", "127.0.0.1:8080:80/tcp".').exactOptional(),
  x11: z.union([z.boolean(), z.enum(["auto", "xvfb", "xephyr", "host", "none"])], { error: "must be true, false, auto, xvfb, xephyr, host or none" }).describe('A display: "xvfb" and "xephyr" are X servers of its own, "host" is the host\'s with an untrusted cookie; true or "auto": what is best here.').exactOptional(),
  x11Size: z.string().regex(/^[1-9]\d{0,4}x[1-9]\d{0,4}$/, 'must be a size such as "1280x800"').describe("Pixels of the screen of xvfb and xephyr.").exactOptional(),
  wayland: z.boolean().describe("The socket of the caller's Wayland compositor.").exactOptional(),
  audio: z.boolean().describe("The sockets of the caller's PulseAudio and PipeWire.").exactOptional(),
  env: environment.describe('Variables beyond the default list: "NAME=value", "NAME" (taken from the caller), or an object.').exactOptional(),
  inheritEnv: z.boolean().describe("Take the caller's whole environment.").exactOptional(),
  memory: size.describe('Bytes or "512MiB" (units of 1024); "none" for no limit.').exactOptional(),
  pids: z
    .union([z.int().min(1), z.literal("none")], { error: 'must be a whole number of at least 1, or "none"' })
    .describe("Processes and threads at once. Default 1024.")
    .exactOptional(),
  cpus: z.number().positive().max(65536).describe("Processors' worth of time: 1.5.").exactOptional(),
  cpuset: cpuList.describe('Processors that may be used: "0-3,7".').exactOptional(),
  timeoutMs: time.describe('Milliseconds or "30s": then the stop signal, and SIGKILL after graceMs.').exactOptional(),
  graceMs: time.describe('Milliseconds or "10s" between the stop signal and SIGKILL.').exactOptional(),
  rlimits: words(parseRlimit).describe('"nofile=1024:4096", "core=0", "as=1g", "nproc=unlimited".').exactOptional(),
  nice: z.int().min(-20).max(19).describe("Niceness, -20 to 19.").exactOptional(),
  oomScoreAdj: z.int().min(-1000).max(1000).describe("How readily the kernel's OOM killer takes it, -1000 to 1000.").exactOptional(),
  user: z.string().superRefine(readBy(parseUser)).describe('"UID[:GID]" or a name known inside.').exactOptional(),
  hostname: z
    .string()
    .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,62}[A-Za-z0-9])?$/, "must be 1 to 64 letters, digits, dots and dashes")
    .describe("Host name inside.")
    .exactOptional(),
  capAdd: z.array(z.string().superRefine(readBy((value: string, where) => parseCapabilities([value], where)))).describe('Kept capabilities, "CAP_NET_RAW" or "net_raw"; "all". Default none.').exactOptional(),
  capDrop: z.array(z.string().superRefine(readBy((value: string, where) => parseCapabilities([value], where)))).describe("Capabilities taken from those that capAdd keeps.").exactOptional(),
  newPrivileges: z.boolean().describe("The payload may gain privileges through setuid files. Default false.").exactOptional(),
  seccomp: text.describe('"default", "nested" (for programs that make sandboxes of their own), "none", or a file with OCI seccomp JSON.').exactOptional(),
  landlock: z.enum(["auto", "require", "none"]).describe('"auto" (where the kernel has it, default), "require", "none".').exactOptional(),
  share: z.array(namespace).describe("Namespaces shared with the host.").exactOptional(),
  sysctl: z.record(z.string().regex(/^[\w-]+([./][\w-]+)+$/, "must be a dotted name of /proc/sys"), z.string()).describe('Kernel settings of the new namespaces: "net.ipv4.ip_forward" to "1".').exactOptional(),
  devices: z.array(z.string().regex(/^\/dev\/./, "must be a path below /dev")).describe('Devices beyond the harmless six: "/dev/kvm".').exactOptional(),
  umask: z
    .union([z.number(), z.string()], { error: 'must be octal digits such as "022"' })
    .superRefine(readBy((value: number | string, where) => parseMode(value, where, 0o777)))
    .describe('Octal digits "022".')
    .exactOptional(),
  tty: z.enum(["auto", "always", "never"]).describe('"auto" (default): a terminal of its own when the caller has one.').exactOptional(),
  init: z.boolean().describe("A small init as pid 1. Default true.").exactOptional(),
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/, "must be 1 to 63 letters, digits, dots, dashes and underscores, a letter or digit first")
    .describe("The sandbox's name.")
    .exactOptional(),
  detach: z.boolean().describe("Run in the background and print the id.").exactOptional(),
  keep: z.boolean().describe("Keep the stopped sandbox's folder until `brig rm`. Default: only when detached.").exactOptional(),
  dieWithParent: z.boolean().describe("Everything dies with the process that started it. Default: true unless detached.").exactOptional(),
  labels: z.record(text, z.string()).describe("Words to find the sandbox by.").exactOptional(),
});
