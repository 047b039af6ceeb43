import type { IdMapping, Linux } from "../../spec/oci.js";
import type { ToolContext } from "../grammar/context.js";
import { badValue, parseId } from "../grammar/numbers.js";
import type { Notes } from "../grammar/origins.js";
import { EXIT_FAILURE, type MapTarget, type Typed, type UnshareOptions } from "./grammar.js";
import { combineMaps, type MapRange } from "./id-maps.js";

/** The namespaces, their id maps, clocks and mount propagation. */
export function buildLinux(asked: UnshareOptions, context: ToolContext, notes: Notes): Linux {
  const linux: Linux = { namespaces: [...asked.namespaces.keys()].map((type) => ({ type })) };
  // At the clone or by one unshare(2), of all of them at once.
  notes.sayings[""] = notes.sayings["/linux/namespaces"] = "unshare failed";
  [...asked.namespaces.values()].forEach(({ text }, index) => notes.add(`/linux/namespaces/${index}`, text, "unshare failed"));
  const uidMappings = buildMap("uid", asked.mapUser, asked.mapUsers, context);
  const gidMappings = buildMap("gid", asked.mapGroup, asked.mapGroups, context);
  if (uidMappings) linux.uidMappings = uidMappings;
  if (gidMappings) linux.gidMappings = gidMappings;
  noteMap("uid", asked.mapUsers ?? asked.mapUser, notes);
  noteMap("gid", asked.mapGroups ?? asked.mapGroup, notes);
  if (asked.namespaces.has("mount")) addPropagation(linux, asked, notes);
  if (asked.monotonic || asked.boottime) addTimeOffsets(linux, asked, notes);
  return linux;
}

function addPropagation(linux: Linux, asked: UnshareOptions, notes: Notes): void {
  const wanted = asked.propagation?.value ?? "private";
  if (wanted === "unchanged") return;
  linux.rootfsPropagation = `r${wanted}`;
  const text = asked.propagation?.text ?? asked.namespaces.get("mount")!.text;
  notes.add("/linux/rootfsPropagation", text, "cannot change root filesystem propagation");
}

function addTimeOffsets(linux: Linux, asked: UnshareOptions, notes: Notes): void {
  linux.timeOffsets = {};
  for (const clock of ["monotonic", "boottime"] as const) {
    const offset = asked[clock];
    if (!offset) continue;
    linux.timeOffsets[clock] = { secs: offset.value };
    notes.add("/linux/timeOffsets", offset.text, "failed to write to /proc/self/timens_offsets");
  }
}

function buildMap(
  kind: "uid" | "gid",
  single: Typed<MapTarget> | undefined,
  range: Typed<MapRange | "auto"> | undefined,
  context: ToolContext,
): IdMapping[] | undefined {
  const outer = kind === "uid" ? context.euid : context.egid;
  const mapped = single && { outer, inner: resolveTarget(kind, single.value, context) };
  if (range) return combineMaps(range.value === "auto" ? findOwnRange(kind, context) : range.value, mapped);
  return mapped && [{ containerID: mapped.inner, hostID: mapped.outer, size: 1 }];
}

function resolveTarget(kind: "uid" | "gid", target: MapTarget, { euid, egid, accounts }: ToolContext): number {
  if (target === "current") return kind === "uid" ? euid : egid;
  const text = target.account;
  const id = kind === "uid" ? accounts.userByName(text)?.uid : accounts.groupByName(text)?.gid;
  const found = id ?? parseId(text);
  if (found === undefined) throw badValue(`failed to parse ${kind}: '${text}'`, EXIT_FAILURE, "a number, or a name known on this host");
  return found;
}

function findOwnRange(kind: "uid" | "gid", { euid, accounts, subordinate }: ToolContext): MapRange {
  const own = subordinate[kind][0];
  if (own) return { outer: own.start, inner: 0, count: own.count };
  const name = accounts.userById(euid)?.name ?? String(euid);
  throw badValue(
    `no line matching user "${name}" in /etc/sub${kind}`,
    EXIT_FAILURE,
    `root can give the range: usermod --add-sub${kind}s 100000-165535 ${name}`,
  );
}

function noteMap(kind: "uid" | "gid", asked: Typed<unknown> | undefined, notes: Notes): void {
  if (asked) notes.add(`/linux/${kind}Mappings`, asked.text, `write failed /proc/self/${kind}_map`);
}
