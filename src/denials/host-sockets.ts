import { readText } from "../host/read-text.js";

const LISTEN = "0A";
const MAX_AGE_MS = 500;

/** Who listens on the host, as it was within the last half second. */
export class HostSockets {
  private readMs = -Infinity;
  private ports = new Set<number>();
  private abstract = new Set<string>();

  /** A TCP port on which something listens on the host, on whatever address, or a UDP port that is bound. */
  listens(port: number): boolean {
    this.refresh();
    return this.ports.has(port);
  }

  /** An abstract unix socket's name, without the NUL. */
  hasAbstract(name: string): boolean {
    this.refresh();
    return this.abstract.has(name);
  }

  private refresh(): void {
    if (performance.now() - this.readMs < MAX_AGE_MS) return;
    this.readMs = performance.now();
    this.ports = new Set(["tcp", "tcp6", "udp", "udp6"].flatMap((table) => readPorts(readText(`/proc/net/${table}`) ?? "", table.startsWith("tcp"))));
    this.abstract = new Set(readAbstract(readText("/proc/net/unix") ?? ""));
  }
}

/** Lines "  0: 0100007F:1F90 00000000:0000 0A …" (proc_pid_net(5)). */
function readPorts(text: string, tcp: boolean): number[] {
  const lines = text.split("\n").slice(1).map((line) => line.trim().split(/\s+/));
  return lines.filter((fields) => !tcp || fields[3] === LISTEN).map((fields) => Number.parseInt(fields[1]?.split(":").at(-1) ?? "", 16));
}

function readAbstract(text: string): string[] {
  return text.split("\n").flatMap((line) => /\s@(\S.*)$/.exec(line)?.[1] ?? []);
}
