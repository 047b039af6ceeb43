import { BrigError } from "../error/brig-error.js";
import type { Container } from "./model.js";
import { readContainers } from "./store.js";

/**
 * The container with this id, this name, or an id that begins so.
 * @throws BrigError BRIG_NO_SUCH_CONTAINER, BRIG_AMBIGUOUS
 */
export function findContainer(folder: string, reference: string): Container {
  const all = readContainers(folder);
  const name = reference.replace(/^\//, "");
  const exact = all.find(({ Id }) => Id === reference) ?? all.find(({ Name }) => Name === name);
  if (exact) return exact;
  const begun = /^[0-9a-f]+$/.test(reference) ? all.filter(({ Id }) => Id.startsWith(reference)) : [];
  if (begun.length === 1) return begun[0]!;
  if (begun.length > 1) throw new BrigError(`${reference} could be ${begun.map(({ Id }) => Id.slice(0, 12)).join(" or ")}`, { code: "BRIG_AMBIGUOUS", exitCode: 1, hint: "type more of the id" });
  throw new BrigError(`No such container: ${reference}`, { code: "BRIG_NO_SUCH_CONTAINER", exitCode: 1, hint: "brig docker ps -a lists them" });
}
