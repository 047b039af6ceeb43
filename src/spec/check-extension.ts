import type { Problem } from "./describe-issues.js";
import type { Extension } from "./extension.js";
import type { Spec } from "./oci.js";

/** What the schema of the extension cannot see. Paths start at the annotation's name. */
export function checkExtension(spec: Spec, extension: Extension): Problem[] {
  const namespaces = spec.linux?.namespaces ?? [];
  const isNew = (type: string): boolean => namespaces.some((namespace) => namespace.type === type && namespace.path === undefined);
  const problems: Problem[] = [];
  if (extension.loopback && !isNew("network")) problems.push({ path: ["loopback"], text: "needs a new network namespace" });
  const { mode = "none", filter } = extension.network ?? {};
  if (mode !== "none" && mode !== "host" && !isNew("network")) problems.push({ path: ["network", "mode"], text: `${mode} needs a new network namespace` });
  if (filter && mode !== "user") problems.push({ path: ["network", "filter"], text: "needs the mode user" });
  if (filter && extension.network?.link) problems.push({ path: ["network", "link"], text: "contradicts filter: such a sandbox has no interface" });
  if (extension.network?.ports?.length && mode !== "user" && mode !== "named") problems.push({ path: ["network", "ports"], text: "needs the mode user or named" });
  if (mode === "user" && extension.network?.ports?.some(({ host }) => host === 0)) problems.push({ path: ["network", "ports"], text: "needs a port of the host's with the mode user" });
  if ((mode === "named") !== (extension.network?.networks !== undefined)) problems.push({ path: ["network", "networks"], text: "belongs to the mode named" });
  if (extension.rootLayers && (extension.rootTmpfs || spec.root?.path)) problems.push({ path: ["rootLayers"], text: "contradicts rootTmpfs or root.path: the root is made or it is a folder" });
  if (extension.rootLayers && (extension.rootLayers.upper === undefined) !== (extension.rootLayers.work === undefined)) problems.push({ path: ["rootLayers"], text: "upper and work belong together" });
  if (extension.rootTmpfs && spec.root && spec.root.path !== "") problems.push({ path: ["rootTmpfs"], text: `contradicts root.path: the root is made or it is ${spec.root.path}` });
  if (extension.inPlace && extension.detach) problems.push({ path: ["detach"], text: "contradicts inPlace: the launcher itself becomes the payload" });
  for (const [index, { type }] of (extension.persist ?? []).entries())
    if (!isNew(PERSISTED[type] ?? type)) problems.push({ path: ["persist", index, "type"], text: `needs a new ${PERSISTED[type] ?? type} namespace` });
  for (const fd of findRepeats(extension.keepFds ?? [])) problems.push({ path: ["keepFds"], text: `names ${fd} twice` });
  return problems;
}

const PERSISTED: Record<string, string> = { net: "network", mnt: "mount" };

function findRepeats(numbers: readonly number[]): number[] {
  return numbers.filter((number, index) => numbers.indexOf(number) < index);
}
