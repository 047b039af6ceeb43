import { BrigError } from "../error/brig-error.js";
import { readText } from "../host/read-text.js";
import { DISPLAY_NUMBER } from "../spec/extension.js";
import { describeOrigin } from "../spec/origin.js";
import { type Draft, originOfOption } from "./draft.js";
import { type Build, makeDisplay } from "./make-display.js";

/** The payload's folder with its cookie. */
const CLIENT_FOLDER = "/run/brig-display";

/** `x11`: a display whose cookie nobody else has. The variables that lead to another one go. */
export function setDisplay(draft: Draft, build: Build): void {
  const { x11, x11Size: size } = draft.options;
  const none = x11 === "none" || x11 === false;
  if (size !== undefined && (x11 === undefined || none)) throw refuse(draft, "/x11Size", "BRIG_BAD_VALUE", "a screen's size says nothing without a server of its own", "add --x11=xvfb");
  if (x11 === undefined) return;
  draft.origins["/annotations/dev.brig.display"] = originOfOption(draft, "/x11");
  draft.process.env = draft.process.env?.filter((entry) => !/^(DISPLAY|XAUTHORITY)=/.test(entry)) ?? [];
  if (none) return checkHidden(draft);
  const [origin, sizeOrigin] = ["/x11", "/x11Size"].map((pointer) => describeOrigin(originOfOption(draft, pointer)));
  const display = makeDisplay({ kind: x11 === true ? "auto" : x11, size, folder: CLIENT_FOLDER, origin, sizeOrigin }, draft.context, build);
  draft.extension.display = display;
  draft.process.env.push(`DISPLAY=:${DISPLAY_NUMBER}`, `XAUTHORITY=${CLIENT_FOLDER}/Xauthority`);
  if (!display.server) draft.notes.push("the payload has windows on the host's display, as a client that the X server does not trust: it reads the clipboard, and the titles and places of other windows, but not what is in them, nor their keys, and cannot type into them");
}

/** Abstract sockets belong to the network namespace. */
function checkHidden(draft: Draft): void {
  const sees = draft.extension.network?.mode === "host" && draft.extension.landlock === undefined;
  if (sees && (readText("/proc/net/unix") ?? "").includes(" @/tmp/.X11-unix/"))
    throw refuse(draft, "/x11", "BRIG_CANNOT_HIDE_X11", "the X server also listens on an abstract socket, which belongs to the network that the sandbox shares", "leave --net host or --landlock none out, or start the X server with -nolisten local");
}

function refuse(draft: Draft, pointer: string, code: string, message: string, hint: string): BrigError {
  return new BrigError(message, { code, hint, origin: describeOrigin(originOfOption(draft, pointer)) });
}
