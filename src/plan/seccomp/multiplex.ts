import type { Condition } from "./condition.js";
import { readSyscalls } from "./tables.js";

/** SYS_* of linux/net.h: the first argument of socketcall(2). "" fills numbers that are not used. */
const SOCKET_CALLS =
  " socket bind connect listen accept getsockname getpeername socketpair send recv sendto recvfrom shutdown" +
  " setsockopt getsockopt sendmsg recvmsg accept4 recvmmsg sendmmsg";
/** SEMOP, MSGSND, SHMAT … of linux/ipc.h: the low half of the first argument of ipc(2), whose high half is a version. */
const IPC_CALLS: Record<string, number> = {
  semop: 1, semget: 2, semctl: 3, semtimedop: 4,
  msgsnd: 11, msgrcv: 12, msgget: 13, msgctl: 14,
  shmat: 21, shmdt: 22, shmget: 23, shmctl: 24,
};

/** How a 32-bit x86 program may also make a call: which multiplexer, and what its first argument then is. */
export interface Multiplexed {
  number: number;
  condition: Condition;
}

/** Undefined when the call has no multiplexed form. */
export function readMultiplexed(name: string): Multiplexed | undefined {
  const socket = SOCKET_CALLS.split(" ").indexOf(name);
  if (socket > 0) return describe("socketcall", socket, 0xffffffffn);
  const ipc = Object.hasOwn(IPC_CALLS, name) ? IPC_CALLS[name] : undefined;
  return ipc === undefined ? undefined : describe("ipc", ipc, 0xffffn);
}

function describe(multiplexer: string, call: number, mask: bigint): Multiplexed {
  const number = readSyscalls("x86").get(multiplexer)!;
  return { number, condition: { index: 0, op: "eq", value: BigInt(call), mask } };
}
