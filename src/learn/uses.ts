import { lstatSync, statSync } from "node:fs";
import { isLetThrough } from "../plan/seccomp/actions.js";
import type { WatchEvent } from "../plan/watch/events.js";
import { type Access, listAccesses } from "../denials/accesses.js";
import type { Denial, Want } from "../denials/denial.js";
import { readInternetAddress, readQuestion } from "../denials/address.js";
import type { HostSockets } from "../denials/host-sockets.js";
import type { Inside } from "../denials/inside.js";
import { judgeCapability } from "../denials/judge-capability.js";
import { NetworkJudge } from "../denials/judge-network.js";

/** What a program did with one path, as it was when it came to it. */
export interface PathUse {
  /** As the program named it, absolute, and without links. */
  asked: string;
  found: string;
  /** Whether the host has it, and what it is there. */
  kind: "file" | "folder" | "device" | "socket" | "missing";
  wants: Set<Want>;
  /** Its entries were listed. */
  listed: boolean;
}

const MAX_PATHS = 50_000;
const DNS = 53;

/** Gathers what a program uses in a sandbox whose walls are open, over one or several runs. */
export class Uses {
  readonly paths = new Map<string, PathUse>();
  /** What the default network refuses: `allow` says which word opens it. */
  readonly network = new Map<string, Pick<Denial, "what" | "allow">>();
  /** Names that were looked up, and ports of TCP outside of the host that were connected to. */
  readonly names = new Set<string>();
  readonly ports = new Set<number>();
  /** Calls that the default filter refuses. */
  readonly calls = new Set<string>();
  /** "CAP_CHOWN": what the program needed as root. */
  readonly capabilities = new Set<string>();
  private readonly judge: NetworkJudge;

  /** @param strict the sandbox as it is without any word */
  constructor(
    private readonly strict: Inside,
    sockets: HostSockets,
  ) {
    this.judge = new NetworkJudge(strict, sockets);
  }

  add(event: WatchEvent): void {
    if (event.call === "getdents64") return this.addListing(event.descriptors.get(0));
    for (const access of listAccesses(event)) this.addAccess(access);
    const network = this.judge.judge(event);
    if (network) this.network.set(network.what, network);
    this.addNetwork(event);
    const capability = judgeCapability(this.strict, event);
    if (capability?.allow) this.capabilities.add(`CAP_${capability.allow.slice("--cap-add ".length)}`);
    if (!isLetThrough(event.answer)) this.calls.add(event.call);
  }

  private addAccess({ look, want, nofollow, creates }: Access): void {
    const exists = look.error === 0 || (nofollow && look.what === "link");
    if (exists) this.note(look.asked, look.found, want);
    else if (creates || want === "create" || want === "replace") this.note(look.asked, look.what === "parent" ? `${look.found === "/" ? "" : look.found}/${look.asked.split("/").findLast((name) => name !== "")}` : look.asked, "create");
  }

  private addNetwork(event: WatchEvent): void {
    if (event.call === "connect") {
      const address = readInternetAddress(event.addresses.get(1));
      if (address && !address.loopback && address.port > 0 && address.port !== DNS) this.ports.add(address.port);
    }
    const name = event.call === "sendto" || event.call === "sendmmsg" ? readQuestion(event.bytes.get(1)) : undefined;
    if (name !== undefined) this.names.add(name.toLowerCase());
  }

  private addListing(folder: string | undefined): void {
    if (!folder?.startsWith("/")) return;
    const use = this.note(folder, folder, "read");
    if (use) use.listed = true;
  }

  private note(asked: string, found: string, want: Want): PathUse | undefined {
    const known = this.paths.get(asked);
    if (!known && this.paths.size >= MAX_PATHS) return undefined;
    const use = known ?? { asked, found: found || asked, kind: kindOf(found || asked), wants: new Set<Want>(), listed: false };
    this.paths.set(asked, use);
    use.wants.add(want);
    return use;
  }
}

/** On the host, which a run whose writes are dropped does not change. */
function kindOf(path: string): PathUse["kind"] {
  try {
    const stat = lstatSync(path).isSymbolicLink() ? statSync(path) : lstatSync(path);
    if (stat.isDirectory()) return "folder";
    if (stat.isSocket()) return "socket";
    return stat.isCharacterDevice() || stat.isBlockDevice() ? "device" : "file";
  } catch {
    return "missing";
  }
}
