import type { HostFacts } from "../host/facts.js";
import { encodePlan } from "../plan/encode.js";
import { dropNote } from "../plan/patch.js";
import { planCommand } from "../sandbox/exec.js";
import type { Sandbox } from "../sandbox/sandbox.js";
import type { Launchable } from "./launch.js";

/** Plans that join a running sandbox, each compiled when it is first asked for. */
export class Joining {
  readonly #host: HostFacts;
  readonly #sandbox: Sandbox;
  #command: Launchable | undefined;
  #fileServer: Launchable | undefined;

  constructor(sandbox: Sandbox, host: HostFacts) {
    this.#sandbox = sandbox;
    this.#host = host;
  }

  /** With a command that stands for any, to be patched. */
  get command(): Launchable {
    return (this.#command ??= this.#compile(false));
  }

  /** The process behind `Sandbox.fs` (launcher/files.c), behind the walls of the payload but for the seccomp filter: it executes nothing. */
  get fileServer(): Launchable {
    return (this.#fileServer ??= this.#compile(true));
  }

  #compile(fileServer: boolean): Launchable {
    const plan = planCommand(this.#sandbox, { command: ["/"], terminal: "never", keeper: !fileServer }, this.#host);
    if (fileServer) plan.steps.payload = [...plan.steps.payload.filter(({ op }) => op !== "EXEC" && op !== "SECCOMP"), { op: "FILE_SERVER" }];
    return { plan, bytes: dropNote(encodePlan(plan)) };
  }
}
