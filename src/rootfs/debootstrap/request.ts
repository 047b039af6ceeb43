import { existsSync } from "node:fs";
import { BrigError } from "../../error/brig-error.js";
import { findTool } from "../../host/tools.js";
import { type AptSource, findAptSource, readAptSources } from "./apt-sources.js";

/** What someone asked for. */
export interface DebootstrapOptions {
  /** Default bookworm. */
  suite?: string | undefined;
  /** Debian's name of an architecture. Default: this host's. */
  arch?: string | undefined;
  /** Default minbase. */
  variant?: string | undefined;
  include?: string[];
  /** A URL. Default: where this host's apt takes that suite from. */
  mirror?: string | undefined;
  tool?: string | undefined;
}

/** The same with everything chosen and checked. */
export interface DebootstrapRequest {
  suite: string;
  arch: string;
  variant: string;
  include: string[];
  mirror: string;
  keyring: string | undefined;
  tool: DebootstrapTool;
  /** Its absolute path. */
  program: string;
}

export const TOOLS = ["mmdebstrap", "debootstrap"] as const;
export type DebootstrapTool = (typeof TOOLS)[number];

/** Those that both tools have, and mmdebstrap's own. */
export const VARIANTS = { debootstrap: ["minbase", "buildd", "important"], mmdebstrap: ["minbase", "buildd", "important", "essential", "apt", "required", "standard"] };

/** Node's name of this host's architecture: Debian's names of what it can run. */
const RUNS: Record<string, string[]> = { x64: ["amd64", "i386"], arm64: ["arm64"], ia32: ["i386"], arm: ["armhf", "armel"], ppc64: ["ppc64el"], s390x: ["s390x"], riscv64: ["riscv64"] };

export const ARCHITECTURES = [...new Set(Object.values(RUNS).flat())];

/**
 * Chooses what was left open.
 * @throws BrigError BRIG_BAD_VALUE, BRIG_WRONG_ARCHITECTURE, BRIG_MISSING_TOOL, BRIG_NO_MIRROR
 */
export function readRequest(options: DebootstrapOptions, sources: readonly AptSource[] = readAptSources()): DebootstrapRequest {
  const { suite = "bookworm", variant = "minbase", include = [] } = options;
  if (!/^[a-z0-9][a-z0-9.+/-]*$/.test(suite) || suite.includes("..")) throw refuse("--suite", suite, "is no name of a release", "such as bookworm, trixie, sid");
  for (const name of include) if (!/^[a-z0-9][a-z0-9+.-]+(?::[a-z0-9]+)?$/.test(name)) throw refuse("--include", name, "is no name of a package", "packages, with commas between them: --include systemd,dbus");
  const arch = chooseArch(options.arch);
  const { tool, program } = chooseTool(options.tool);
  if (!VARIANTS[tool].includes(variant)) throw refuse("--variant", variant, `is no variant of ${tool}`, VARIANTS[tool].join(", "));
  return { suite, arch, variant, include, tool, program, ...chooseMirror(suite, options.mirror, sources) };
}

function chooseArch(asked: string | undefined): string {
  const runs = RUNS[process.arch] ?? [];
  const arch = asked ?? runs[0] ?? "";
  if (!ARCHITECTURES.includes(arch)) throw refuse("--arch", arch, "is no architecture of Debian's that brig knows", ARCHITECTURES.join(", "));
  if (runs.includes(arch)) return arch;
  throw new BrigError(`this host runs ${runs.join(" and ")}, and no programs for ${arch}`, { code: "BRIG_WRONG_ARCHITECTURE", origin: `--arch ${arch}`, hint: `one of ${runs.join(", ")}` });
}

function chooseTool(asked: string | undefined): { tool: DebootstrapTool; program: string } {
  const wanted = TOOLS.filter((name) => asked === undefined || name === asked);
  if (wanted.length === 0) throw refuse("--tool", asked ?? "", "makes no roots", TOOLS.join(", "));
  for (const tool of wanted) {
    const program = findTool(tool);
    if (program !== undefined) return { tool, program };
  }
  const origin = asked === undefined ? undefined : `--tool ${asked}`;
  throw new BrigError(`there is no ${wanted.join(" and no ")} on this host`, { code: "BRIG_MISSING_TOOL", origin, hint: `apt-get install ${wanted[0]}` });
}

/** Apt's own place for the suite; for a suite that it does not use, the place that has the other ones. */
function chooseMirror(suite: string, asked: string | undefined, sources: readonly AptSource[]): { mirror: string; keyring: string | undefined } {
  if (asked !== undefined && !/^(?:https?|ftp|file):\/\/?[^\s"'[\]]+$/.test(asked)) throw refuse("--mirror", asked, "is no URL of an archive", "http://HOST/debian");
  const debian = sources.find(({ uri, components }) => /\/debian\/?$/.test(uri) && components.includes("main"));
  const source = sources.find(({ uri }) => uri === asked) ?? findAptSource(suite, sources) ?? debian;
  const mirror = asked ?? source?.uri;
  if (mirror === undefined) throw new BrigError("this host's apt names no archive of Debian packages", { code: "BRIG_NO_MIRROR", hint: "name one with --mirror URL" });
  const keyring = source?.signedBy;
  return { mirror, keyring: keyring !== undefined && existsSync(keyring) ? keyring : undefined };
}

function refuse(option: string, value: string, what: string, hint: string): BrigError {
  return new BrigError(`${JSON.stringify(value)} ${what}`, { code: "BRIG_BAD_VALUE", origin: `${option} ${value}`, hint });
}
