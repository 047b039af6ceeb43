import { stopContainer } from "../../container/life.js";
import { prepareStart, startDetached } from "../../container/start.js";
import { BrigError } from "../../error/brig-error.js";
import { parseInteger } from "../../tools/docker/values.js";
import type { CommandForm } from "../grammar.js";
import { build } from "../version.js";
import { forEachContainer } from "./each-container.js";
import { timeOption } from "./stop.js";

export const command: CommandForm = {
  name: "docker restart",
  usage: ["docker restart [-t SECONDS] CONTAINER [CONTAINER...]"],
  options: [timeOption],
  minOperands: 1,
  run(words) {
    const time = words.value("time");
    return forEachContainer(words, async (folder, container) => {
      await stopContainer(folder, container, time === undefined ? undefined : parseInteger("--time", time));
      if ((await startDetached(prepareStart(folder, container, { attached: false, build }))) !== 0) throw new BrigError(`failed to start container ${container.Name}`, { code: "BRIG_CANNOT_START" });
    });
  },
};
