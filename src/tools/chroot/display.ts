import type { HostFacts } from "../../host/facts.js";
import { buildSpec } from "../../policy/build-spec.js";
import { makeDisplay } from "../../policy/make-display.js";
import { DISPLAY_NUMBER, readExtension, writeExtension } from "../../spec/extension.js";
import type { Spec } from "../../spec/oci.js";
import type { ToolContext } from "../grammar/context.js";
import type { ChrootDisplay } from "./grammar.js";

/** The cookie stands beside the socket: a root has no other place that is sure to be there. */
const FOLDER = "/tmp/.X11-unix";

/** The same chroot with a display, which is mounted in a mount namespace of its own: the host sees nothing of it. */
export function addDisplay(spec: Spec, { value, text }: ChrootDisplay, context: ToolContext, host: HostFacts): Spec {
  const home = context.env.HOME?.startsWith("/") ? context.env.HOME : "/";
  const display = makeDisplay({ kind: value, folder: FOLDER, origin: text, sizeOrigin: text }, { cwd: context.cwd, env: context.env, home, host }, buildSpec);
  const extension = readExtension(spec);
  const origins = { ...extension.origins, "/annotations/dev.brig.display": { kind: "flag" as const, text } };
  const process = { ...spec.process!, env: [...(spec.process?.env ?? []), `DISPLAY=:${DISPLAY_NUMBER}`, `XAUTHORITY=${FOLDER}/Xauthority`] };
  const namespaces = [...(spec.linux?.namespaces ?? []).filter(({ type }) => type !== "mount"), { type: "mount" as const }];
  const linux = { ...spec.linux, namespaces, rootfsPropagation: spec.linux?.rootfsPropagation ?? "rslave" };
  return writeExtension({ ...spec, process, linux }, { ...extension, display, origins });
}
