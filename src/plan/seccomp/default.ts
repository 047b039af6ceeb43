import type { Seccomp, SeccompRule } from "../../spec/oci.js";
import { ENOSYS } from "./actions.js";
import { COMPAT, type HostArch, nameArchitecture, readHostArch } from "./architectures.js";
import { allow, allowInts, allowIntsExcept, whereInt, whereMasked } from "./default-arguments.js";
import { CAPABILITY_CALLS, DEFAULT_CALLS, NESTED_CALLS } from "./default-calls.js";
import { type SyscallTable, readSyscalls } from "./tables.js";

export interface DefaultSeccompOptions {
  /** The machine that the filter is for. Default: this one. */
  arch?: HostArch;
  /** Capabilities that the payload keeps ("CAP_SYS_PTRACE"): each opens the calls that need it. */
  capabilities?: ReadonlySet<string>;
  /** The payload may make namespaces of its own, and mount in them: for browsers, bwrap and rootless containers. */
  nestedNamespaces?: boolean;
  /** false: the payload cannot give a file the setuid or setgid bit. Default true. */
  setuidFiles?: boolean;
  /**
   * Admit the machine's 32-bit programs. Default false: a second, older and less tested way into the kernel. Those
   * that make sockets through socketcall(2), as Debian's i386 libc does, get EPERM: it hides the address family.
   */
  compat?: boolean;
  /** The host's kernel, as [major, minor]. Before 4.8 ptrace gets around seccomp and is refused. Default: newer. */
  kernel?: readonly [number, number];
}

/** Brig's default filter: an allow-list, EPERM for the rest. `default-calls.ts` says what is not in it and why. */
export function defaultSeccomp(options: DefaultSeccompOptions = {}): Seccomp {
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: 1,
    architectures: listTables(options.arch, options.compat).map(nameArchitecture),
    syscalls: [
      ...allowPlainCalls(options),
      ...allowCapabilities(options.capabilities ?? new Set()),
      ...guardNamespaces(options),
      ...guardSockets(options.capabilities ?? new Set()),
      ...guardTerminals(),
      ...guardPersonality(),
      ...guardModes(options.setuidFiles ?? true),
    ],
  };
}

/** The machine's own calls, and with `compat` its 32-bit ones. */
function listTables(arch: HostArch | undefined, compat = false): SyscallTable[] {
  const host = readHostArch(arch);
  return compat ? [host, COMPAT[host]] : [host];
}

function allowPlainCalls({ kernel = [6, 0], compat, arch }: DefaultSeccompOptions): SeccompRule[] {
  const tables = listTables(arch, compat).map(readSyscalls);
  const names = Object.values(DEFAULT_CALLS).join(" ").split(" ");
  const rules = [allow(names.filter((name) => tables.some((table) => table.has(name))))];
  // Linux 4.8 runs the filter again behind a tracer's change (seccomp(2)).
  if (kernel[0] > 4 || (kernel[0] === 4 && kernel[1] >= 8)) rules.push(allow("ptrace process_vm_readv process_vm_writev"));
  // 32-bit programs set up thread segments with it (wine).
  if (compat && readHostArch(arch) === "x64") rules.push(allow("modify_ldt"));
  return rules;
}

function allowCapabilities(capabilities: ReadonlySet<string>): SeccompRule[] {
  return Object.entries(CAPABILITY_CALLS)
    .filter(([capability]) => capabilities.has(capability))
    .map(([, names]) => allow(names));
}

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET. CLONE_NEWTIME is none of clone's: it is a signal there. */
const CLONE_NEW = 0x7e020000;

/** clone3's flags are behind a pointer: ENOSYS sends libcs back to clone, whose flags can be seen. */
function guardNamespaces({ nestedNamespaces, capabilities }: DefaultSeccompOptions): SeccompRule[] {
  if (nestedNamespaces) return [allow(NESTED_CALLS)];
  if (capabilities?.has("CAP_SYS_ADMIN")) return [];
  return [allow("clone", whereMasked(0, CLONE_NEW, 0)), answerNosys("clone3")];
}

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const AF_PACKET = 17;
const NETLINK_ROUTE = 0;
const NETLINK_AUDIT = 9;

/**
 * The families that programs use. The others (AF_ALG, AF_VSOCK, AF_BLUETOOTH, AF_TIPC, AF_RDS …) load kernel modules
 * that nobody looks after, and AF_VSOCK reaches the hypervisor around every network namespace.
 */
function guardSockets(capabilities: ReadonlySet<string>): SeccompRule[] {
  const families = capabilities.has("CAP_NET_RAW") ? [AF_UNIX, AF_INET, AF_INET6, AF_PACKET] : [AF_UNIX, AF_INET, AF_INET6];
  return [...allowInts("socket", 0, families), ...allowNetlink(capabilities), ...allowInts("socketpair", 0, [AF_UNIX])];
}

/** Route alone, for getifaddrs(3) and the like: netfilter and others are reachable with rights in a user namespace. */
function allowNetlink(capabilities: ReadonlySet<string>): SeccompRule[] {
  if (capabilities.has("CAP_NET_ADMIN")) return allowInts("socket", 0, [AF_NETLINK]);
  const audit = capabilities.has("CAP_AUDIT_WRITE") || capabilities.has("CAP_AUDIT_CONTROL");
  const protocols = audit ? [NETLINK_ROUTE, NETLINK_AUDIT] : [NETLINK_ROUTE];
  return protocols.map((protocol) => allow("socket", whereInt(0, AF_NETLINK), whereInt(2, protocol)));
}

const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;

/** Both put words into a terminal as if they had been typed: into the shell that started the sandbox. */
function guardTerminals(): SeccompRule[] {
  return allowIntsExcept("ioctl", 1, [TIOCSTI, TIOCLINUX]);
}

/** PER_LINUX, PER_LINUX32, either with UNAME26, and asking: no READ_IMPLIES_EXEC, no ADDR_NO_RANDOMIZE. */
function guardPersonality(): SeccompRule[] {
  return allowInts("personality", 0, [0x0, 0x8, 0x20000, 0x20008, 0xffffffff]);
}

const SETUID_SETGID = 0o6000;
/** O_CREAT and __O_TMPFILE: without them open's mode means nothing. The same on x86 and ARM. */
const O_CREATING = 0o100 | 0o20000000;

/** Calls that set a file's mode, and which argument it is. */
const MODE_CALLS: [string, number][] = [["chmod", 1], ["fchmod", 1], ["fchmodat", 2], ["mknod", 1], ["mknodat", 2], ["creat", 1]];
const OPEN_CALLS: [string, number][] = [["open", 1], ["openat", 2]];
/** Their modes are behind a pointer, or they are new: ENOSYS sends libcs back to the calls above. */
const LATER_MODE_CALLS = "fchmodat2 openat2";

/** In a folder that the host shares, a setuid file would give the host's users the payload's identity there. */
function guardModes(setuidFiles: boolean): SeccompRule[] {
  const names = [...MODE_CALLS, ...OPEN_CALLS].map(([name]) => name);
  if (setuidFiles) return [allow([...names, ...LATER_MODE_CALLS.split(" ")])];
  return [
    ...[...MODE_CALLS, ...OPEN_CALLS.map(([name, flags]): [string, number] => [name, flags + 1])].map(([name, mode]) =>
      allow(name, whereMasked(mode, SETUID_SETGID, 0)),
    ),
    ...OPEN_CALLS.map(([name, flags]) => allow(name, whereMasked(flags, O_CREATING, 0))),
    answerNosys(LATER_MODE_CALLS),
  ];
}

function answerNosys(names: string): SeccompRule {
  return { names: names.split(" "), action: "SCMP_ACT_ERRNO", errnoRet: ENOSYS };
}
