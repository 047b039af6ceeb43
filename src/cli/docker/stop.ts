import { stopContainer } from "../../container/life.js";
import type { CommandForm, OptionForm } from "../grammar.js";
import { forEachContainer } from "./each-container.js";
import { parseInteger } from "../../tools/docker/values.js";

export const timeOption: OptionForm = { name: "time", short: "t", value: "SECONDS", help: "Seconds to wait before killing the container" };

export const command: CommandForm = {
  name: "docker stop",
  usage: ["docker stop [-t SECONDS] CONTAINER [CONTAINER...]"],
  options: [timeOption],
  minOperands: 1,
  run(words) {
    const time = words.value("time");
    return forEachContainer(words, (folder, container) => stopContainer(folder, container, time === undefined ? undefined : parseInteger("--time", time)));
  },
};
