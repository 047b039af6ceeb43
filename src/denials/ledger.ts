import type { WatchEvent } from "../plan/watch/events.js";
import { isLetThrough } from "../plan/seccomp/actions.js";
import { listAccesses } from "./accesses.js";
import type { AttemptFinding } from "./attempts.js";
import type { Denial, Finding } from "./denial.js";
import { HostSockets } from "./host-sockets.js";
import type { Inside } from "./inside.js";
import { judgeCall } from "./judge-call.js";
import { judgeCapability } from "./judge-capability.js";
import { NetworkJudge } from "./judge-network.js";
import { judgePath } from "./judge-path.js";

/** More different ones are counted and not kept: a payload must not fill the memory of who watches it. */
const MAX_KEPT = 10_000;

/** Holds every watched call against the walls and keeps what they refused, each thing once. */
export class DenialLedger {
  private readonly kept = new Map<string, Denial>();
  private readonly network: NetworkJudge;
  private readonly startMs = performance.now();
  /** Denials that were not kept. */
  lost = 0;
  /** Whether anything was watched at all: a sandbox that could not be made has no payload. */
  hasBegun = false;

  /** @param onNew gets each denial when it is met for the first time */
  constructor(
    private readonly inside: Inside,
    private readonly onNew: (denial: Denial) => void = () => undefined,
  ) {
    this.network = new NetworkJudge(inside, new HostSockets());
  }

  add(event: WatchEvent): void {
    this.hasBegun = true;
    for (const finding of this.judge(event)) this.note(event, finding);
  }

  /** What somebody else refused and told of. */
  addFinding({ program, pid, ...finding }: AttemptFinding): void {
    this.note({ program, pid, call: "connect" }, finding);
  }

  /** In the order in which they were first met. */
  list(): Denial[] {
    return [...this.kept.values()];
  }

  private judge(event: WatchEvent): Finding[] {
    if (!isLetThrough(event.answer)) return [judgeCall(this.inside, event) ?? []].flat();
    const paths = listAccesses(event).map((access) => judgePath(this.inside, access));
    return [...paths, this.network.judge(event), judgeCapability(this.inside, event)].filter((finding) => finding !== undefined);
  }

  private note(event: Pick<WatchEvent, "program" | "pid" | "call">, finding: Finding): void {
    const key = `${finding.kind} ${finding.want} ${finding.what}`;
    const known = this.kept.get(key);
    if (known) known.count++;
    else if (this.kept.size >= MAX_KEPT) this.lost++;
    else {
      const denial: Denial = { ...finding, program: event.program, pid: event.pid, call: event.call, count: 1, firstMs: Math.round(performance.now() - this.startMs) };
      this.kept.set(key, denial);
      this.onNew(denial);
    }
  }
}
