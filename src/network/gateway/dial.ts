import { connect, type Socket } from "node:net";

const TIMEOUT_MS = 10_000;

/** Connects to the first of these addresses that answers; they are literal, nothing is looked up. */
export async function dial(addresses: readonly string[], port: number): Promise<Socket> {
  let failure: unknown;
  for (const address of addresses) {
    try {
      return await dialOne(address, port);
    } catch (error) {
      failure = error;
    }
  }
  throw failure ?? new Error("no address");
}

function dialOne(address: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, allowHalfOpen: true, noDelay: true });
    const timer = setTimeout(() => socket.destroy(new Error("timed out")), TIMEOUT_MS);
    const settle = (): void => {
      clearTimeout(timer);
      socket.removeAllListeners();
    };
    socket.once("connect", () => (settle(), resolve(socket)));
    socket.once("error", (error) => (settle(), socket.on("error", () => undefined), reject(error)));
  });
}

/** Joins two connections: each end of one direction is passed on, and a failure of one ends both. */
export function splice(one: Socket, other: Socket): void {
  const end = (): void => {
    one.destroy();
    other.destroy();
  };
  one.on("error", end).on("close", () => other.destroySoon());
  other.on("error", end).on("close", () => one.destroySoon());
  one.pipe(other);
  other.pipe(one);
}
