import { spawnSync } from "node:child_process";
import { BrigError } from "../error/brig-error.js";

const PACKAGES: Record<string, string> = { ip: "iproute2", nft: "nftables" };

/**
 * Runs a program of the host that must succeed.
 * @returns what it printed
 * @throws BrigError BRIG_NO_TOOL when it is missing, BRIG_HOST_COMMAND with its own complaint when it fails
 */
export function runHost(program: "ip" | "nft", words: string[], input = ""): string {
  const { status, stdout, stderr, error } = spawnSync(program, words, { encoding: "utf8", input, env: { ...process.env, LC_ALL: "C" } });
  if (error && (error as NodeJS.ErrnoException).code === "ENOENT")
    throw new BrigError(`${program} is missing`, { code: "BRIG_NO_TOOL", exitCode: 1, hint: `apt-get install ${PACKAGES[program]}` });
  if (status === 0) return stdout;
  const complaint = (stderr || error?.message || "").trim().split("\n")[0] ?? "";
  throw new BrigError(`${program} ${words.join(" ")} failed: ${complaint}`, { code: "BRIG_HOST_COMMAND", exitCode: 1 });
}

/** The same for a command that prints JSON. */
export function readHost(program: "ip", words: string[]): unknown {
  return JSON.parse(runHost(program, words) || "[]");
}
