import { type HostFacts, readHostFacts } from "../host/facts.js";
import { Zygote } from "../launch/zygote.js";
import { Parking } from "./parking.js";
import { Templates } from "./template.js";

/** One launcher process and what was compiled for it. A launcher that died is followed by another. */
export class Engine {
  readonly host: HostFacts = readHostFacts();
  readonly templates = new Templates(this.host);
  readonly parking = new Parking();
  #zygote: Zygote | undefined;
  #closed = false;

  /** @param prewarm what `run` does that says nothing of it */
  constructor(readonly prewarm = true) {}

  get pid(): number | undefined {
    return this.#zygote?.ended ? undefined : this.#zygote?.pid;
  }

  /** The launcher, started when it is first asked for. @throws BrigError BRIG_NO_LAUNCHER */
  startZygote(): Zygote {
    if (!this.#zygote || (this.#zygote.ended && !this.#closed)) this.#zygote = new Zygote();
    return this.#zygote;
  }

  close(): void {
    this.#closed = true;
    this.parking.clear();
    this.startZygote().close();
  }
}

let shared: Engine | undefined;

/** Of `run` and `Sandbox`, unless they are a `Brig`'s. */
export function findSharedEngine(): Engine {
  return (shared ??= new Engine());
}
