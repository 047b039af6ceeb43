import { prepareStart, startDetached } from "../../container/start.js";
import { openContainersFolder } from "../../container/folder.js";
import { sweepContainers, wantsToRun } from "../../container/life.js";
import { readContainers } from "../../container/store.js";
import { BrigError } from "../../error/brig-error.js";
import { handOverPlan } from "../../launch/hand-over.js";
import type { CommandForm } from "../grammar.js";
import { build } from "../version.js";
import { parseDetachKeys } from "./detach-keys.js";
import { forEachContainer, takeContainer } from "./each-container.js";
import { readState } from "../../container/status.js";

export const command: CommandForm = {
  name: "docker start",
  usage: ["docker start [-a] [-i] CONTAINER [CONTAINER...]", "docker start --restart-policies"],
  options: [
    { name: "attach", short: "a", help: "Attach STDOUT/STDERR and forward signals" },
    { name: "interactive", short: "i", help: "Attach container's STDIN" },
    { name: "detach-keys", value: "KEYS", help: "Override the key sequence for detaching a container" },
    { name: "restart-policies", help: "brig's own, for the host's start: all that their policy wants to run" },
  ],
  async run(words) {
    if (words.has("restart-policies")) return forEachContainer({ operands: await listWanted() }, start);
    if (words.operands.length === 0) throw new BrigError('"docker start" requires at least 1 argument', { code: "BRIG_BAD_USAGE", exitCode: 1, hint: "name a container; brig docker ps -a lists them" });
    if (!words.has("attach") && !words.has("interactive")) return forEachContainer(words, start);
    const [only, ...more] = words.operands;
    if (more.length > 0) throw new BrigError("you cannot start and attach multiple containers at once", { code: "BRIG_BAD_USAGE", exitCode: 1 });
    const { folder, container } = await takeContainer(only!);
    return handOverPlan(prepareStart(folder, container, { attached: true, build, detachKeys: parseDetachKeys(words.value("detach-keys")) }));
  },
};

/** As docker's daemon does when it starts: those that run always, and those that nobody has stopped. */
async function listWanted(): Promise<string[]> {
  const folder = openContainersFolder();
  await sweepContainers(folder);
  return readContainers(folder).filter((container) => wantsToRun(folder, container)).map(({ Name }) => Name);
}

/** One that runs already is left alone. */
async function start(folder: string, container: Parameters<typeof prepareStart>[1]): Promise<void> {
  if (readState(folder, container).Pid > 0) return;
  if ((await startDetached(prepareStart(folder, container, { attached: false, build }))) !== 0) throw new BrigError(`failed to start containers: ${container.Name}`, { code: "BRIG_CANNOT_START" });
}
