import type { Spec } from "../spec/oci.js";
import { readExtension } from "../spec/extension.js";
import { withDisplay } from "./explain-display.js";
import { explainExposure } from "./explain-exposure.js";
import { explainNamespaces } from "./explain-namespaces.js";
import { explainRestrictions } from "./explain-restrictions.js";
import type { Posture } from "./posture.js";
import { describeGateway, describeLandlock, predictPosture, predictSeccomp, type SpecNote } from "./predict-posture.js";
import type { Wall } from "./wall.js";

/** The walls around a process, the heaviest first. */
export function explainPosture(posture: Posture): Wall[] {
  return [...explainNamespaces(posture), ...explainRestrictions(posture), ...explainExposure(posture)];
}

/** The same for what has not been started: the walls that a spec asks for. */
export function explainSpec(spec: Spec, note: SpecNote = {}): Wall[] {
  return explainPosture(predictPosture(spec, note));
}

/** What cannot be seen from outside, filled in from the spec that the process was started from. */
export function completePosture(posture: Posture, spec: Spec, note: SpecNote = {}): Posture {
  const predicted = predictSeccomp(spec);
  const same = posture.seccomp.mode === predicted.mode && posture.seccomp.filters === predicted.filters;
  const landlock = describeLandlock(readExtension(spec).landlock, note.landlockAbi);
  const { display, network: { filter } = {} } = readExtension(spec);
  const interfaces = filter && posture.interfaces ? [...posture.interfaces, describeGateway(filter)] : posture.interfaces;
  const sockets = posture.sockets && withDisplay(posture.sockets, display);
  return { ...posture, interfaces, sockets, landlock, seccomp: same ? { ...posture.seccomp, ...predicted } : posture.seccomp };
}
