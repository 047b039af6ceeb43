import { closeSync, openSync, statSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import { createContainer, type UnpackedImage } from "../../container/create.js";
import { openContainersFolder } from "../../container/folder.js";
import { sweepContainers } from "../../container/life.js";
import type { Container } from "../../container/model.js";
import { fillVolumes } from "../../container/files/fill-volumes.js";
import { takeMountsOf } from "../../container/volumes-from.js";
import { drawId } from "../../container/store.js";
import { BrigError } from "../../error/brig-error.js";
import { readRunRequest } from "../../tools/docker/read-run.js";
import { RUN_OPTIONS } from "../../tools/docker/run-options.js";
import type { CommandForm, OptionForm, ParsedWords } from "../grammar.js";
import { takeImage } from "./find-image.js";

/** Exit status when it did not get as far as the payload. */
export const EXIT_DOCKER = 125;

/** What `run` and `create` have in common. */
export const makeForm: Pick<CommandForm, "options" | "stopAtOperand" | "minOperands" | "operands"> = {
  options: RUN_OPTIONS.map((option): OptionForm => ({ ...option })),
  stopAtOperand: true,
  minOperands: 1,
  operands: "none",
};

/** The container of `docker run|create OPTIONS IMAGE COMMAND…`. */
export async function makeContainer(words: ParsedWords): Promise<{ folder: string; container: Container }> {
  const [reference = "", ...command] = words.operands;
  const request = readRunRequest(words, command, process.env);
  const cidfile = words.value("cidfile");
  const written = cidfile === undefined ? undefined : openCidfile(cidfile);
  const folder = openContainersFolder();
  await sweepContainers(folder);
  const id = drawId();
  const image = words.has("rootfs") ? describeFolder(reference) : await takeImage(reference, id, { when: words.value("pull") ?? "missing", platform: words.value("platform"), quiet: words.has("quiet") });
  const mounts = takeMountsOf(folder, words.values("volumes-from"), request.mounts);
  const container = createContainer(folder, image, { ...request, mounts, id });
  await fillVolumes(folder, container);
  if (written !== undefined) {
    writeSync(written, container.Id);
    closeSync(written);
  }
  return { folder, container };
}

function openCidfile(path: string): number {
  try {
    return openSync(path, "wx", 0o644);
  } catch (error) {
    const taken = (error as NodeJS.ErrnoException).code === "EEXIST";
    throw new BrigError(taken ? `container ID file found, make sure the other container isn't running or delete ${path}` : `failed to create the container ID file: ${(error as Error).message}`, { code: "BRIG_CANNOT_WRITE", exitCode: EXIT_DOCKER });
  }
}

/** A folder of the host as the one layer of an image. */
function describeFolder(path: string): UnpackedImage {
  const folder = resolve(path);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw new BrigError(`${folder} is no folder`, { code: "BRIG_NO_SUCH_PATH", exitCode: EXIT_DOCKER, hint: "brig rootfs debootstrap makes one" });
  return { id: "", reference: folder, layers: [folder], config: {} };
}
