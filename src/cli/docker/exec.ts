import { join } from "node:path";
import { requireRunning } from "../../container/life.js";
import { findUser } from "../../container/identity.js";
import { readHostFacts } from "../../host/facts.js";
import { handOverPlan } from "../../launch/hand-over.js";
import { encodePlan } from "../../plan/encode.js";
import { planCommand } from "../../sandbox/exec.js";
import type { CommandForm } from "../grammar.js";
import { takeContainer } from "./each-container.js";

export const command: CommandForm = {
  name: "docker exec",
  usage: ["docker exec [OPTIONS] CONTAINER COMMAND [ARG...]"],
  options: [
    { name: "detach", short: "d", help: "Detached mode: run command in the background" },
    { name: "detach-keys", value: "KEYS", help: "Override the key sequence for detaching a container" },
    { name: "env", short: "e", value: "NAME[=VALUE]", repeat: true, help: "Set environment variables" },
    { name: "env-file", value: "FILE", repeat: true, help: "Read in a file of environment variables" },
    { name: "interactive", short: "i", help: "Keep STDIN open even if not attached" },
    { name: "privileged", help: "Give extended privileges to the command" },
    { name: "tty", short: "t", help: "Allocate a pseudo-TTY" },
    { name: "user", short: "u", value: "NAME|UID[:GROUP|GID]", help: "Username or UID" },
    { name: "workdir", short: "w", value: "FOLDER", help: "Working directory inside the container" },
  ],
  stopAtOperand: true,
  minOperands: 2,
  async run(words) {
    const [reference, ...line] = words.operands;
    const { folder, container } = await takeContainer(reference!);
    const sandbox = requireRunning(container);
    const [user, cwd] = [words.value("user"), words.value("workdir")];
    const layers = [join(folder, container.Id, "rw/upper"), ...container.Layers];
    const options = {
      command: line,
      env: words.values("env").flatMap((each) => (each.includes("=") ? [each] : process.env[each] === undefined ? [] : [`${each}=${process.env[each]}`])),
      terminal: words.has("tty") ? ("always" as const) : ("never" as const),
      ...(cwd === undefined ? {} : { cwd }),
      ...(user === undefined ? {} : { user: findUser(container, layers, user) }),
      ...(words.has("privileged") ? { privileged: true } : {}),
      ...(words.has("detach") ? { detach: true } : {}),
    };
    return handOverPlan(encodePlan(planCommand(sandbox, options, readHostFacts())));
  },
};
