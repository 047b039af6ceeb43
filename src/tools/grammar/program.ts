import { basename } from "node:path";

/** Where execvp(3) looks when PATH is unset. */
const DEFAULT_PATH = "/bin:/usr/bin";

export interface Program {
  args: string[];
  /** Absolute paths, in the order in which they are tried. */
  candidates: string[];
}

/**
 * The paths that execvp(3) would try for a name: itself when it has a slash, else one for each folder in PATH.
 * @param cwd the folder against which relative names and relative PATH entries count, in the payload's root
 */
export function listCandidates(name: string, path: string | undefined, cwd: string): string[] {
  if (name.includes("/")) return [resolveFrom(cwd, name)];
  if (name === "") return [];
  const folders = (path ?? DEFAULT_PATH).split(":").map((folder) => resolveFrom(cwd, folder));
  return [...new Set(folders)].map((folder) => `${folder === "/" ? "" : folder}/${name}`);
}

/**
 * The command, or the caller's login shell when there is none: util-linux starts that as "-bash".
 */
export function findProgram(command: string[], env: Record<string, string | undefined>, cwd: string): Program {
  const name = command[0];
  if (name !== undefined) return { args: command, candidates: listCandidates(name, env.PATH, cwd) };
  const shell = env.SHELL || "/bin/sh";
  return { args: [`-${basename(shell)}`], candidates: [resolveFrom(cwd, shell)] };
}

/** All that is set where the program is started, as it then is: a plan that is kept must not keep it. */
export const CALLERS_ENVIRONMENT = { inherit: true, unset: [] };

/** An absolute path. Not path.resolve: "a/../b" must reach the kernel as it is, for "a" may be a link. */
export function resolveFrom(cwd: string, path: string): string {
  if (path.startsWith("/")) return path;
  return path === "" ? cwd : `${cwd === "/" ? "" : cwd}/${path}`;
}
