import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

/** Names the plan format: a launcher and a compiler that agree on it understand each other. */
export function nameBuild() {
  return createHash("sha256").update(readFileSync("launcher/plan.h")).digest("hex").slice(0, 16);
}
