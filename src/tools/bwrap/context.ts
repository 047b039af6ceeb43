import { accessSync, constants } from "node:fs";
import type { HostFacts } from "../../host/facts.js";

/** What bwrap's words are understood against. */
export interface BwrapContext {
  cwd: string;
  env: Record<string, string | undefined>;
  euid: number;
  egid: number;
  /** The caller's effective capabilities, and the number of the last that the kernel knows. */
  capabilities: ReadonlySet<string>;
  capLast: number;
  userNamespaces: boolean;
  /** A bit for each of descriptors 0-2 that is a terminal. */
  terminals: number;
  kernel: readonly [major: number, minor: number];
  /** access(2) with W_OK says yes. */
  isWritable(path: string): boolean;
}

export function readBwrapContext(host: HostFacts, env: Record<string, string | undefined> = process.env): BwrapContext {
  const { euid, egid, capLast, userNamespaces, terminals } = host;
  const [major, minor] = host.kernel;
  return { cwd: process.cwd(), env, euid, egid, capabilities: host.capabilities, capLast, userNamespaces, terminals, kernel: [major, minor], isWritable };
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
