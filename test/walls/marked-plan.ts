/** Plans whose traces on the host can be told from everybody else's: a run folder and names of cgroups of their own. */
import { mkdirSync, chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decodePlan } from "../../src/plan/decode.js";
import { encodePlan } from "../../src/plan/encode.js";
import { PLAN_PREFIX } from "../../src/plan/format.js";
import { listSteps, type Plan } from "../../src/plan/plan.js";
import type { Identity, Stage } from "./stage.js";

export interface MarkedPlan {
  plan: Plan;
  /** Where all of it stands, writable for everybody. */
  folder: string;
  /** State folders and cgroups that are there now. */
  listLeft(): string[];
  /** Writes it as a file that the launcher runs (`brig --plan FILE`). */
  write(name: string): string;
}

/** What `brig plan --out` compiles of these words. */
export async function compileMarked(stage: Stage, who: Identity, name: string, options: string[], command: string[]): Promise<MarkedPlan> {
  const folder = join(stage.folder, name);
  mkdirSync(folder);
  chmodSync(folder, 0o777);
  const written = join(folder, "written");
  const compiled = await stage.brigAs(who, ["plan", "--out", written, "--read", join(stage.folder, "bin"), ...options, "--", ...command]);
  if (compiled.code !== 0) throw new Error(compiled.stderr);
  const plan = decodePlan(readFileSync(written).subarray(PLAN_PREFIX));
  const mark = `brig-${name}-${process.pid}`;
  const parents: string[] = [];
  // Of the host's own files one may change meanwhile, and the plan would be compiled again without the marks.
  plan.witnesses = plan.witnesses.filter((witness) => witness.kind === "file" && witness.path.startsWith(stage.folder));
  let stated = false;
  for (const { step } of listSteps(plan)) {
    if (step.op === "STATE") {
      stated = true;
      step.folder = join(folder, "run");
    }
    if (step.op !== "CGROUP") continue;
    step.name = `${mark}-%i`;
    parents.push(step.parent);
  }
  if (!stated) throw new Error("the plan has no state folder, so that nothing could be left in it");
  const list = (place: string): string[] => {
    try {
      return readdirSync(place).map((entry) => join(place, entry));
    } catch {
      return [];
    }
  };
  return {
    plan,
    folder,
    listLeft: () => [...list(join(folder, "run")).filter((path) => !path.endsWith("/names")), ...parents.flatMap(list).filter((path) => path.includes(mark))],
    write: (file) => {
      writeFileSync(join(folder, file), encodePlan(plan));
      chmodSync(join(folder, file), 0o644);
      return join(folder, file);
    },
  };
}
