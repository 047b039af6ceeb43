import { BrigError } from "../error/brig-error.js";
import { describeOrigin } from "../spec/origin.js";
import { writeExtension } from "../spec/extension.js";
import type { Spec } from "../spec/oci.js";
import { setCapabilities } from "./capabilities.js";
import { setCommand } from "./command.js";
import type { PolicyContext } from "./context.js";
import { consultFile, type Draft } from "./draft.js";
import { setDesktopSockets } from "./desktop-sockets.js";
import { setDisplay } from "./display.js";
import { setEnvironment } from "./environment.js";
import { addOverlays } from "./ephemeral.js";
import { listShownFolders, mountShown } from "./folders.js";
import { chooseHome } from "./home.js";
import { bindHostFiles } from "./host-files.js";
import { setIdentity } from "./identity.js";
import { setLandlock } from "./landlock.js";
import { setLife } from "./life.js";
import { setLimits } from "./limits.js";
import { orderMounts } from "./mount-order.js";
import { setNamespaces } from "./namespaces.js";
import { setNetwork } from "./network.js";
import type { SandboxOptions } from "./options.js";
import { addPrivatePlaces } from "./private-places.js";
import { addRoot } from "./root.js";
import { setMachine } from "./root-machine.js";
import { setSeccomp } from "./seccomp.js";
import { lacksPlaces, standOnTmpfs } from "./stand-on-tmpfs.js";
import { setWorkingFolder } from "./working-folder.js";

/**
 * The OCI runtime spec of a sandbox: the safe default, opened or tightened by the options. Reads the host (folders,
 * links, /etc/passwd), and changes nothing.
 *
 * @throws BrigError BRIG_BAD_VALUE, BRIG_NO_SUCH_PATH, BRIG_NO_SUCH_USER, BRIG_CANNOT_IDMAP, BRIG_COMMAND_NOT_FOUND
 */
export function buildSpec(options: SandboxOptions, command: readonly string[], context: PolicyContext): Spec {
  const draft = startDraft(options, command, context);
  try {
    return fillSpec(draft);
  } catch (error) {
    throw nameOrigin(draft, error);
  }
}

/** Those that read one value know the option's name only: here it is known who wrote it. */
function nameOrigin({ context }: Draft, error: unknown): unknown {
  if (!(error instanceof BrigError) || error.code !== "BRIG_BAD_VALUE") return error;
  const name = error.origin?.split(":", 1)[0] ?? "";
  const written = Object.entries(context.origins ?? {}).filter(([pointer]) => pointer === `/${name}` || pointer.startsWith(`/${name}/`)).map(([, origin]) => origin);
  const own = written.find(({ text }) => error.message.includes(JSON.stringify(text.replace(/^\S+?[ =]/, "")))) ?? written[0];
  if (own === undefined) return error;
  return new BrigError(error.message, { code: error.code, hint: error.hint, exitCode: error.exitCode, cause: error.cause, origin: describeOrigin(own) });
}

function fillSpec(draft: Draft): Spec {
  setNamespaces(draft);
  setIdentity(draft);
  setLimits(draft);
  draft.home = chooseHome(draft);
  addRoot(draft);
  setMachine(draft);
  bindHostFiles(draft, "asked");
  setNetwork(draft);
  addFolders(draft);
  addPrivatePlaces(draft);
  setEnvironment(draft);
  setCommand(draft);
  setCapabilities(draft);
  setSeccomp(draft);
  setLandlock(draft);
  setDisplay(draft, buildSpec);
  setDesktopSockets(draft);
  setLife(draft);
  orderMounts(draft);
  return finishSpec(draft);
}

function startDraft(options: SandboxOptions, command: readonly string[], context: PolicyContext): Draft {
  return {
    options: { ...options },
    context,
    command,
    root: { path: "" },
    process: { cwd: "/" },
    mounts: [],
    linux: {},
    annotations: {},
    extension: { files: [] },
    origins: {},
    home: "/",
    mapped: false,
    hostRoot: false,
    writable: [],
    visible: [],
    overlays: [],
    notes: [],
  };
}

function addFolders(draft: Draft): void {
  const shown = listShownFolders(draft);
  const project = setWorkingFolder(draft, shown);
  const all = project ? [project, ...shown.filter((each) => each.destination !== project.destination)] : shown;
  for (const each of addOverlays(draft, all.toSorted((a, b) => a.destination.length - b.destination.length))) mountShown(draft, each);
}

function finishSpec(draft: Draft): Spec {
  const { hostname, process, root, mounts, linux, annotations, extension, origins, notes } = draft;
  const named = hostname === undefined ? {} : { hostname };
  const spec: Spec = { ociVersion: "1.2.0", process, root, ...named, mounts, linux, annotations };
  if (draft.overlays.length > 0) extension.overlay = draft.overlays;
  const whole = writeExtension(spec, { ...extension, origins, ...(notes.length > 0 ? { notes } : {}) });
  return draft.options.root !== undefined && lacksPlaces(whole, root.path, (path) => consultFile(draft, path)) ? standOnTmpfs(whole, root.path) : whole;
}
