import type { DebootstrapTool } from "./request.js";

/** How far a root is. */
export interface RootProgress {
  /** "downloading packages". */
  stage: string;
  /** 0 to 1; never less than before. */
  done: number;
  /** The package or file that it is at. */
  item: string | undefined;
}

interface Stage {
  name: string;
  /** The line with which it begins. */
  begins: RegExp;
  /** A line for each of its items, the item as the first group. */
  item?: RegExp;
  /** Where it ends, 0 to 1. */
  until: number;
}

/** As `mmdebstrap --verbose` (1.3) tells it, with apt's and dpkg's own lines between. */
const MMDEBSTRAP: Stage[] = [
  { name: "reading the lists of packages", begins: /^I: running apt-get update/, until: 0.1 },
  { name: "downloading packages", begins: /^I: downloading packages/, item: /^Get:\d+ \S+ \S+ \S+ (\S+)/, until: 0.3 },
  { name: "extracting", begins: /^I: extracting archives/, until: 0.4 },
  { name: "installing essential packages", begins: /^I: installing essential/, item: /^(?:Unpacking|Setting up) (\S+)/, until: 0.75 },
  { name: "installing the other packages", begins: /^I: installing remaining/, item: /^(?:Unpacking|Setting up) (\S+)/, until: 0.95 },
  { name: "cleaning up", begins: /^I: cleaning/, until: 1 },
];

/** As debootstrap (1.0.128) does. */
const DEBOOTSTRAP: Stage[] = [
  { name: "reading the lists of packages", begins: /^I: (?:Retrieving InRelease|Checking Release)/, until: 0.1 },
  { name: "downloading packages", begins: /^I: Checking component/, item: /^I: Retrieving (\S+)/, until: 0.4 },
  { name: "extracting", begins: /^I: Extracting/, item: /^I: Extracting (\S+?)\.*$/, until: 0.55 },
  { name: "installing the core packages", begins: /^I: Installing core packages/, until: 0.6 },
  { name: "unpacking packages", begins: /^I: Unpacking/, item: /^I: Unpacking (\S+?)\.*$/, until: 0.8 },
  { name: "configuring packages", begins: /^I: Configuring/, item: /^I: Configuring (\S+?)\.*$/, until: 1 },
];

/** Until a tool has told how many items a stage has, so many are taken to be ahead. */
const GUESS = 60;

/** Follows what a tool prints. */
export class ProgressReader {
  private readonly stages: Stage[];
  private at = -1;
  private seen = 0;
  private total: number | undefined;
  private done = 0;

  constructor(tool: DebootstrapTool) {
    this.stages = tool === "mmdebstrap" ? MMDEBSTRAP : DEBOOTSTRAP;
  }

  /** The progress when this line changed it. */
  read(line: string): RootProgress | undefined {
    const next = this.stages.findIndex(({ begins }, index) => index > this.at && begins.test(line));
    if (next >= 0) this.begin(next);
    const stage = this.stages[this.at];
    if (!stage) return undefined;
    const count = /^\d+ upgraded, (\d+) newly installed/.exec(line)?.[1];
    if (count !== undefined) this.total = Number(count) * (stage.item?.source.includes("Unpacking") ? 2 : 1);
    const item = stage.item?.exec(line)?.[1];
    if (item !== undefined) this.seen++;
    else if (next < 0) return undefined;
    this.done = Math.max(this.done, this.measure(stage));
    return { stage: stage.name, done: this.done, item };
  }

  private begin(index: number): void {
    this.at = index;
    this.seen = 0;
    this.total = undefined;
  }

  private measure({ until }: Stage): number {
    const from = this.stages[this.at - 1]?.until ?? 0;
    const share = this.total === undefined ? this.seen / (this.seen + GUESS) : this.seen / Math.max(this.total, this.seen);
    return from + (until - from) * Math.min(1, share);
  }
}
