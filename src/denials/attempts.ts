import type { Denial, Finding } from "./denial.js";
import { type Inside, originAt } from "./inside.js";

/** A line of the log of what a sandbox with a list of hosts tried to reach. */
interface Attempt {
  verdict: string;
  kind: string;
  name?: string;
  address?: string;
  port?: number;
  reason?: string;
  program?: { pid: number; name: string };
}

export type AttemptFinding = Finding & Pick<Denial, "program" | "pid">;

/** What the gateway refused, from its log: lines that are none are passed over. */
export function readAttempts(inside: Inside, log: string): AttemptFinding[] {
  return log.split("\n").flatMap((line) => {
    const attempt = parseLine(line);
    return attempt?.verdict === "denied" ? [judgeAttempt(inside, attempt)] : [];
  });
}

function parseLine(line: string): Attempt | undefined {
  try {
    return JSON.parse(line) as Attempt;
  } catch {
    return undefined;
  }
}

function judgeAttempt(inside: Inside, { kind, name, address, port, reason, program }: Attempt): AttemptFinding {
  const host = name ?? (address?.includes(":") ? `[${address}]` : address) ?? "an unknown host";
  const place = port === undefined ? host : `${host}:${port}`;
  const denied = name === undefined ? undefined : inside.extension.network?.filter?.deny.find((rule) => rule.replace(/:.*/, "") === name);
  const origin = originAt(inside, "/annotations/dev.brig.network");
  const opens = denied === undefined && (name !== undefined || address !== undefined);
  return {
    kind: "network", what: kind === "dns" ? `the name ${host}` : place, want: "connect",
    rule: `the list of hosts does not let it through: ${reason ?? "not allowed"}`,
    ...(origin ? { origin } : {}),
    ...(opens ? { allow: `--allow-host ${place}${kind === "udp" ? "/udp" : ""}` } : {}),
    ...(denied === undefined ? {} : { advice: `leave out --deny-host ${denied}` }),
    program: program?.name ?? "?", pid: program?.pid ?? 0,
  };
}
