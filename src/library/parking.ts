import { type Stats, statSync } from "node:fs";
import type { Zygote, ZygoteRun } from "../launch/zygote.js";
import { encodeOrders, type Orders, type RunStreams } from "../launch/zygote-frames.js";
import { isParkable, listSources } from "../plan/parkable.js";
import type { Payload } from "../plan/patch.js";
import type { Plan } from "../plan/plan.js";
import type { Template } from "./template.js";

/** How many sandboxes wait at most, and for how long. */
const MOST = 4;
const KEPT_MS = 2000;
const NO_ENTRY_IS_NO_ERROR = { throwIfNoEntry: false } as const;

const NOBODY = { gone: () => undefined, died: () => undefined };

interface Source {
  path: string;
  look: Stats | undefined;
}

interface Parked {
  run: ZygoteRun;
  template: Template;
  streams: string;
  /** What its mounts were made from, as it was before they were. */
  sources: Source[];
  timer: NodeJS.Timeout;
}

/**
 * Sandboxes that are made ahead, while this process has nothing to wait for: what a run() had is likely wanted again.
 * Each waits behind all its walls for what to execute, is used once, and thrown away when nobody has come for it in
 * two seconds.
 */
export class Parking {
  #parked: Parked[] = [];

  /**
   * Executes the payload in a sandbox of the template: in the one that waits, if there is one.
   * @returns nothing where such a sandbox cannot be made before it is known what it executes: start a plan
   * @param prewarm whether it may be one that was made before this call
   */
  begin(zygote: Zygote, template: Template, payload: Payload, streams: RunStreams, prewarm: boolean): ZygoteRun | undefined {
    const orders = isParkable(template.plan) ? encodeOrders(listOrders(template, payload)) : undefined;
    if (!orders) return undefined;
    const run = (prewarm ? this.#take(template, streams) : undefined) ?? zygote.start(template.bytes, { ...streams, parked: true }, NOBODY);
    run.arm(orders);
    return run;
  }

  /** Makes one that waits, when whoever waits for this process has been served; a process that is done does not. */
  prepareSoon(zygote: Zygote, template: Template, streams: RunStreams): void {
    setTimeout(() => this.prepare(zygote, template, streams), 1).unref();
  }

  /** Makes one that waits, unless there is one. */
  prepare(zygote: Zygote, template: Template, streams: RunStreams): void {
    const name = nameStreams(streams);
    if (zygote.ended || !isParkable(template.plan) || this.#parked.some((parked) => parked.template === template && parked.streams === name)) return;
    const sources = lookAtSources(template.plan);
    const lost = (): void => this.#forget(parked);
    const run = zygote.start(template.bytes, { ...streams, parked: true }, { exited: lost, failed: lost, gone: lost, died: lost });
    run.reference(false);
    const parked: Parked = { run, template, streams: name, sources, timer: setTimeout(() => this.#discard(parked), KEPT_MS).unref() };
    this.#parked.push(parked);
    const [oldest] = this.#parked;
    if (oldest && this.#parked.length > MOST) this.#discard(oldest);
  }

  /** Ends those that wait. */
  clear(): void {
    for (const parked of this.#parked) this.#discard(parked); // each makes another list
  }

  #take(template: Template, streams: RunStreams): ZygoteRun | undefined {
    const name = nameStreams(streams);
    const parked = this.#parked.find((each) => each.template === template && each.streams === name);
    if (!parked) return undefined;
    if (!parked.sources.every(isSame)) return void this.#discard(parked);
    this.#forget(parked);
    parked.run.reference(true);
    return parked.run;
  }

  #discard(parked: Parked): void {
    this.#forget(parked);
    parked.run.close();
  }

  #forget(parked: Parked): void {
    clearTimeout(parked.timer);
    this.#parked = this.#parked.filter((each) => each !== parked);
  }
}

function listOrders({ plan: { run } }: Template, { candidates, argv, env, timeoutMs, graceMs }: Payload): Orders {
  return { candidates, argv, env, timeoutMs: timeoutMs ?? run.timeoutMs, graceMs: graceMs ?? run.graceMs };
}

function nameStreams({ stdio, credit }: RunStreams): string {
  return `${stdio.join(" ")} ${credit}`;
}

/** A device is the same whatever name it has. */
function lookAtSources(plan: Plan): Source[] {
  return listSources(plan).map((path) => ({ path, look: lookAt(path) })).filter(({ look }) => !look?.isCharacterDevice());
}

/** Whether a name still means the file or folder that was mounted under it. */
function isSame({ path, look }: Source): boolean {
  const now = lookAt(path);
  return now?.ino === look?.ino && now?.dev === look?.dev;
}

/** One that may not be looked at any more is not the one that was mounted. */
function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path, NO_ENTRY_IS_NO_ERROR);
  } catch {
    return undefined;
  }
}
