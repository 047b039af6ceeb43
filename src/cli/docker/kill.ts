import { killContainer } from "../../container/life.js";
import { parseSignal } from "../../sandbox/kill.js";
import type { CommandForm } from "../grammar.js";
import { forEachContainer } from "./each-container.js";

export const command: CommandForm = {
  name: "docker kill",
  usage: ["docker kill [-s SIGNAL] CONTAINER [CONTAINER...]"],
  options: [{ name: "signal", short: "s", value: "SIGNAL", help: "Signal to send to the container (default KILL)" }],
  minOperands: 1,
  run: (words) => forEachContainer(words, (folder, container) => killContainer(folder, container, parseSignal(words.value("signal") ?? "KILL"))),
};
