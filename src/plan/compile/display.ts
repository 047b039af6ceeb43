import { findCompanion } from "../../host/find-companion.js";
import type { HostFacts } from "../../host/facts.js";
import { findLauncher } from "../../launch/find-launcher.js";
import { DISPLAY_NUMBER, type Display } from "../../spec/extension.js";
import type { IdMapping, Spec } from "../../spec/oci.js";
import { encodePlan } from "../encode.js";
import { CREATE, MOUNT_ATTR, MS } from "../format.js";
import type { Plan } from "../plan.js";
import { addStep, type Context, refuse, takeSlot } from "./context.js";
import { preparesOnHost } from "./mounts.js";

const POINTER = "/annotations/dev.brig.display";
const TIMEOUT_MS = 20_000;
const SIGTERM = 15;
/** An identity that stays the caller's. */
const UNCHANGED = 0xffffffff;
const SOCKETS = "/tmp/.X11-unix";
const ATTRIBUTES = MOUNT_ATTR.RDONLY | MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV | MOUNT_ATTR.NOEXEC;

/** Words: the folder, the launcher, the sandbox's cgroups. */
const START_SERVER = 'cd "$1" && launcher=$2 && shift 2 && for group; do echo $$ > "$group/cgroup.procs" || exit 1; done; exec "$launcher" --plan server.plan';

type Compile = (spec: Spec, host: HostFacts) => Plan;

/**
 * A display of the sandbox's own. Its files are in `display` of the state folder: `client` and `socket` are shown to the
 * payload, `server` and `socket` to the X server, which is in a sandbox of its own and a companion of this one.
 */
export function compileDisplay(context: Context, compile: Compile): void {
  const { display } = context.extension;
  if (!display) return;
  const folder = nameFolder(context);
  const owners = [findOwner(context, context.spec), display.server ? findOwner(context, display.server) : ""];
  const place = display.folder === SOCKETS ? "socket" : "client";
  const words = ["/bin/sh", "-s", "--", folder, ...owners, display.server ? (display.host?.cookies ?? "") : ""];
  addStep(context, "host", { op: "RUN", argv: words, input: writeScript(display, place, compile, context.host), timeoutMs: TIMEOUT_MS, substitute: true }, POINTER);
  if (display.server) return addCompanion(context, ["/bin/sh", "-c", START_SERVER, "sh", folder, findLauncher(), ...listCgroups(context)], "", SIGTERM);
  if (!display.host) throw refuse(context.extension, POINTER, "BRIG_BAD_SPEC", "a display is the host's or has a server", "give it host or server");
  const told = JSON.stringify({ ...display.host, number: DISPLAY_NUMBER, hostNumber: display.host.number }).replaceAll("%", "%%");
  addCompanion(context, [process.execPath, findCompanion("untrusted-display"), `${folder}/${place}/Xauthority`], told, 0);
}

function addCompanion(context: Context, argv: string[], input: string, endSignal: number): void {
  addStep(context, "parent", { op: "COMPANION", argv, input, timeoutMs: TIMEOUT_MS, sockets: new Uint8Array(), endSignal, substitute: true }, POINTER);
}

/** What the server keeps for the payload is the payload's: the sandbox's limits are for both together. */
function listCgroups({ plan }: Context): string[] {
  return plan.steps.host.flatMap((step) => (step.op === "CGROUP" ? [`${step.parent}/${step.name}`] : []));
}

function nameFolder({ options, extension, inPlace }: Context): string {
  if (options.runFolder !== undefined && !inPlace) return `${options.runFolder.replaceAll("%", "%%")}/%i/display`;
  throw refuse(extension, POINTER, "BRIG_CANNOT_DISPLAY", "a display needs a state folder, where its socket and cookie are", "give a run folder");
}

/** "UID:GID" of the host for what this spec's process shall read; "" where that is the caller. */
function findOwner({ extension, host }: Context, spec: Spec): string {
  const given = spec.process?.user;
  if (!given || given.uid === UNCHANGED) return "";
  const { uid, gid = uid } = given;
  const users = spec.linux?.namespaces?.find(({ type }) => type === "user");
  const [outerUid, outerGid] = users ? [mapOut(uid, spec.linux?.uidMappings), mapOut(gid, spec.linux?.gidMappings)] : [uid, gid];
  if (outerUid === undefined || outerGid === undefined) throw refuse(extension, POINTER, "BRIG_CANNOT_DISPLAY", `the user ${uid}:${gid} of the sandbox is nobody on the host whom the cookie could belong to`, "give the display to a user that linux.uidMappings maps");
  return outerUid === host.euid ? "" : `${outerUid}:${outerGid}`;
}

function mapOut(id: number, mappings: IdMapping[] = []): number | undefined {
  const range = mappings.find(({ containerID, size }) => id >= containerID && id < containerID + size);
  return range && id - range.containerID + range.hostID;
}

/**
 * The folders and, for a server of its own, a cookie that is new at each start: a record of Xauthority(5) whose family
 * 65535 is any host, for server and client. Words: the folder, the client's and the server's owner, the host's cookies.
 */
function writeScript(display: Display, place: "client" | "socket", compile: Compile, host: HostFacts): string {
  const mine = `${place}/Xauthority`;
  // as every X server does that finds none
  const common = place === "socket" ? `[ -e ${SOCKETS} ] || mkdir -m 1777 ${SOCKETS}\n` : "";
  const folders = `${common}set -e\numask 077\nmkdir -m 711 "$1"\ncd "$1"\nmkdir -m 755 client server\nmkdir -m 1777 socket\n`;
  const give = (file: string, owner: string): string => `if [ -n "${owner}" ]; then chown -- "${owner}" ${file}; fi\n`;
  if (!display.server) return `${folders}: > ${mine}\n${give(mine, "$2")}: > socket/X${DISPLAY_NUMBER}\n`;
  // the program leaves its state to nobody: it has no folder among the sandboxes, and is listed nowhere
  const plan = Buffer.from(encodePlan(compile(display.server, host))).toString("base64");
  const length = String(DISPLAY_NUMBER).length;
  const record = `record() { printf '\\377\\377\\000\\000\\000\\00${length}${DISPLAY_NUMBER}\\000\\022MIT-MAGIC-COOKIE-1\\000\\020'; cat server/Xauthority.key; }\n`;
  const cookies = `head -c 16 /dev/urandom > server/Xauthority.key\nrecord > ${mine}\nrecord > server/Xauthority\nrm server/Xauthority.key\n`;
  const hosts = !display.host ? "" : `: > socket/X${display.host.number}\nif [ -n "$4" ]; then cat < "$4" > server/host; ${give("server/host", "$3").trimEnd()}; fi\n`;
  return `${folders}${record}${cookies}${give(mine, "$2")}${give("server/Xauthority", "$3")}${hosts}base64 -d > server.plan <<END\n${plan}\nEND\n`;
}

/** Slots of detached mounts: sockets, the cookie's folder, and the host's socket where it is that display. */
type Trees = [sockets: number, client: number, host?: number] | undefined;

/** Before the root is another: as root from outside, where the state folder can be reached. */
export function openDisplay(context: Context): Trees {
  const { display } = context.extension;
  if (!display) return undefined;
  const phase = preparesOnHost(context) ? "host" : "child";
  const folder = nameFolder(context);
  const open = (path: string, set: number): number => {
    const slot = takeSlot(context);
    addStep(context, phase, { op: "OPEN_TREE", slot, path, recursive: 0, nofollow: 0, substitute: true }, POINTER);
    addStep(context, phase, { op: "MOUNT_ATTR", slot, set, clear: 0, propagation: MS.PRIVATE, recursive: 0 }, POINTER);
    return slot;
  };
  const own: [number, number] = [open(`${folder}/socket`, ATTRIBUTES), open(`${folder}/client`, ATTRIBUTES)];
  return display.server || !display.host ? own : [...own, open(display.host.socket.replaceAll("%", "%%"), ATTRIBUTES)];
}

export function attachDisplay(context: Context, trees: Trees): void {
  const { display } = context.extension;
  if (!display || !trees) return;
  const [sockets, client, host] = trees;
  const attach = (slot: number, target: string, create: number): void => addStep(context, "child", { op: "MOUNT", slot, target, create }, POINTER);
  attach(sockets, SOCKETS, CREATE.DIR);
  if (display.folder !== SOCKETS) attach(client, display.folder, CREATE.DIR);
  if (host !== undefined) attach(host, `${SOCKETS}/X${DISPLAY_NUMBER}`, CREATE.NOTHING);
}
