import { BrigError } from "../error/brig-error.js";
import { findContainer } from "./find.js";
import type { ContainerMount } from "./model.js";

/**
 * The mounts of other containers, "NAME[:ro|rw]", without those whose places are taken.
 * @throws BrigError BRIG_NO_SUCH_CONTAINER, BRIG_BAD_VALUE
 */
export function takeMountsOf(folder: string, references: readonly string[], own: readonly ContainerMount[]): ContainerMount[] {
  const mounts = [...own];
  for (const text of references) {
    const [reference = "", mode = ""] = text.split(":");
    if (!["", "ro", "rw", "z", "Z"].includes(mode)) throw new BrigError(`invalid mode: ${mode}`, { code: "BRIG_BAD_VALUE", exitCode: 125, hint: "--volumes-from NAME:ro" });
    for (const mount of findContainer(folder, reference).Mounts)
      if (!mounts.some(({ Destination }) => Destination === mount.Destination)) mounts.push(mode === "ro" ? { ...mount, RW: false } : mount);
  }
  return mounts;
}
