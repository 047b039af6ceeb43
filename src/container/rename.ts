import { renameSync } from "node:fs";
import { BrigError } from "../error/brig-error.js";
import type { Container } from "./model.js";
import { findContainerSandbox } from "./status.js";
import { dropName, takeName, writeContainer } from "./store.js";

/**
 * Gives a container another name, and the sandbox that it runs as.
 * @throws BrigError BRIG_BAD_NAME, BRIG_NAME_TAKEN
 */
export function renameContainer(folder: string, container: Container, name: string): void {
  const wanted = name.replace(/^\//, "");
  if (wanted === container.Name) throw new BrigError("Renaming a container with the same name as its current name", { code: "BRIG_BAD_NAME", exitCode: 1 });
  if (container.HostConfig.AutoRemove) refuseRunning(container);
  takeName(folder, container.Id, wanted);
  writeContainer(folder, { ...container, Name: wanted });
  dropName(folder, container.Name);
  const sandbox = findContainerSandbox(container);
  if (!sandbox) return;
  try {
    renameSync(`${sandbox.runFolder}/names/${container.Name}`, `${sandbox.runFolder}/names/${wanted}`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** Its monitor knows the name that it is to take along. */
function refuseRunning(container: Container): void {
  if (!findContainerSandbox(container)) return;
  throw new BrigError(`container ${container.Name} goes when it ends, under the name that it began with`, { code: "BRIG_RUNNING", exitCode: 1, hint: "a container without --rm can be renamed as it runs" });
}
