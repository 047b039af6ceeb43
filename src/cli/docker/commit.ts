import { commitContainer } from "../../container/files/commit.js";
import { parseReference, withDefaultTag } from "../../image/reference.js";
import { openImageStore } from "../../image/store/open.js";
import type { CommandForm } from "../grammar.js";
import { print } from "../output/print.js";
import { untilInterrupted } from "../until-interrupted.js";
import { takeContainer } from "./each-container.js";

export const command: CommandForm = {
  name: "docker commit",
  usage: ["docker commit [OPTIONS] CONTAINER [REPOSITORY[:TAG]]"],
  description: "Makes an image of a container's changes.",
  options: [
    { name: "author", short: "a", value: "TEXT", help: "Author (e.g., \"John Hannibal Smith <hannibal@a-team.com>\")" },
    { name: "change", short: "c", value: "LINE", repeat: true, help: "Apply Dockerfile instruction to the created image" },
    { name: "message", short: "m", value: "TEXT", help: "Commit message" },
    { name: "pause", short: "p", negatable: true, help: "Pause container during commit (default true)" },
  ],
  minOperands: 1,
  maxOperands: 2,
  async run(words) {
    const [reference, name] = words.operands;
    const { folder, container } = await takeContainer(reference!);
    const options = {
      name: name === undefined ? undefined : withDefaultTag(parseReference(name)), author: words.value("author"), message: words.value("message"),
      changes: words.values("change"), pause: !words.typed.some(({ name: each, on }) => each === "pause" && !on),
    };
    await untilInterrupted(async (signal) => print(`${await commitContainer(await openImageStore(), folder, container, { ...options, signal })}\n`));
  },
};
