import { BrigError } from "../error/brig-error.js";
import type { HostFacts } from "../host/facts.js";
import type { Plan } from "../plan/plan.js";
import { planCommand } from "../sandbox/exec.js";
import { findMachineUser, isThere } from "./accounts.js";
import type { Machine } from "./find.js";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const GETTIES = ["/sbin/agetty", "/usr/sbin/agetty"];
const SIMPLE_GETTIES = ["/sbin/getty", "/usr/sbin/getty"];

/** Who gets a shell, and what of it. */
export interface ShellWish {
  /** A name or number of the machine's. */
  user: string;
  /** Program and arguments; none: the user's own shell. */
  command: readonly string[];
  /** "NAME=VALUE". */
  env: readonly string[];
}

/** A shell, or a command, as one of the machine's users, without a password. @throws BrigError BRIG_NO_SUCH_USER, BRIG_NOT_RUNNING */
export function planShell(machine: Machine, wish: ShellWish, host: HostFacts): Plan {
  const user = findMachineUser(rootOf(machine), wish.user);
  const env = [`HOME=${user.home}`, `USER=${user.name}`, `LOGNAME=${user.name}`, `SHELL=${user.shell}`, `PATH=${PATH}`, ...wish.env];
  const command = wish.command.length > 0 ? wish.command : [user.shell, "-l"];
  return planCommand(machine.sandbox, { command, env, cwd: user.home, user: { uid: user.uid, gid: user.gid }, groups: user.groups }, host);
}

/** A prompt for a name and password, on a terminal of its own. @throws BrigError BRIG_NO_GETTY, BRIG_NOT_RUNNING */
export function planLogin(machine: Machine, host: HostFacts): Plan {
  return planCommand(machine.sandbox, { command: findGetty(rootOf(machine)), env: [`PATH=${PATH}`], cwd: "/", user: { uid: 0, gid: 0 }, terminal: "always" }, host);
}

/** agetty and busybox's getty ask on the terminal that they are given as standard input. */
function findGetty(root: string): string[] {
  const getty = GETTIES.find((path) => isThere(root, path));
  if (getty !== undefined) return [getty, "-o", "-p -- \\u", "--noclear", "--keep-baud", "-", "115200,38400,9600", process.env["TERM"] ?? "vt220"];
  const simple = SIMPLE_GETTIES.find((path) => isThere(root, path));
  if (simple !== undefined) return [simple, "0", "-"];
  if (isThere(root, "/bin/login")) return ["/bin/login"];
  throw new BrigError("the machine has neither a getty nor login", { code: "BRIG_NO_GETTY", exitCode: 1, hint: "brig shell MACHINE needs none" });
}

/** Its root as the host sees it; what is in it is not trusted. */
export function rootOf({ name, leader }: Machine): string {
  if (leader) return `/proc/${leader.pid}/root`;
  throw new BrigError(`machine ${name} is just being started`, { code: "BRIG_NOT_RUNNING", exitCode: 1 });
}
