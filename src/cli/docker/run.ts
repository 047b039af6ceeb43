import { prepareStart, startDetached } from "../../container/start.js";
import { removeContainer } from "../../container/life.js";
import { readContainer } from "../../container/store.js";
import { handOverPlan } from "../../launch/hand-over.js";
import type { CommandForm, ParsedWords } from "../grammar.js";
import { print } from "../output/print.js";
import { build } from "../version.js";
import { parseDetachKeys } from "./detach-keys.js";
import { EXIT_DOCKER, makeContainer, makeForm } from "./make.js";

export const command: CommandForm = {
  name: "docker run",
  usage: ["docker run [OPTIONS] IMAGE [COMMAND] [ARG...]"],
  ...makeForm,
  examples: [
    { words: "brig docker run --rm -it debian bash", what: "a shell in a container that goes when it ends" },
    { words: "brig docker run -d --name web -p 8080:80 nginx", what: "a service in the background" },
  ],
  run: runContainer,
};

async function runContainer(words: ParsedWords): Promise<number> {
  const { folder, container } = await makeContainer(words).catch((error: unknown) => {
    throw Object.assign(error as Error, { exitCode: EXIT_DOCKER });
  });
  const detached = words.has("detach");
  try {
    const bytes = prepareStart(folder, container, { attached: !detached, build, detachKeys: parseDetachKeys(words.value("detach-keys")) });
    if (!detached) return await handOverPlan(bytes);
    const status = await startDetached(bytes);
    if (status === 0) print(`${container.Id}\n`);
    return status;
  } catch (error) {
    if (container.HostConfig.AutoRemove && readContainer(folder, container.Id)) await removeContainer(folder, container, { force: true });
    throw Object.assign(error as Error, { exitCode: EXIT_DOCKER });
  }
}
