import { prepareStart, startDetached } from "../../container/start.js";
import { BrigError } from "../../error/brig-error.js";
import { handOverPlan } from "../../launch/hand-over.js";
import type { CommandForm } from "../grammar.js";
import { build } from "../version.js";
import { parseDetachKeys } from "./detach-keys.js";
import { forEachContainer, takeContainer } from "./each-container.js";
import { readState } from "../../container/status.js";

export const command: CommandForm = {
  name: "docker start",
  usage: ["docker start [-a] [-i] CONTAINER [CONTAINER...]"],
  options: [
    { name: "attach", short: "a", help: "Attach STDOUT/STDERR and forward signals" },
    { name: "interactive", short: "i", help: "Attach container's STDIN" },
    { name: "detach-keys", value: "KEYS", help: "Override the key sequence for detaching a container" },
  ],
  minOperands: 1,
  async run(words) {
    if (!words.has("attach") && !words.has("interactive")) return forEachContainer(words, start);
    const [only, ...more] = words.operands;
    if (more.length > 0) throw new BrigError("you cannot start and attach multiple containers at once", { code: "BRIG_BAD_USAGE", exitCode: 1 });
    const { folder, container } = await takeContainer(only!);
    return handOverPlan(prepareStart(folder, container, { attached: true, build, detachKeys: parseDetachKeys(words.value("detach-keys")) }));
  },
};

/** One that runs already is left alone. */
async function start(folder: string, container: Parameters<typeof prepareStart>[1]): Promise<void> {
  if (readState(folder, container).Pid > 0) return;
  if ((await startDetached(prepareStart(folder, container, { attached: false, build }))) !== 0) throw new BrigError(`failed to start containers: ${container.Name}`, { code: "BRIG_CANNOT_START" });
}
