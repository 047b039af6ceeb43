/** One thing that a learned profile allows. */
export interface Line {
  key: "project" | "read" | "write" | "devices" | "net" | "allowHosts" | "capAdd" | "seccomp";
  /** As the profile says it; a path absolute. */
  value: string;
  /** For the profile's comment. */
  why: string;
  /** The program may well do without: it is left out unless it turns out to be needed. */
  optional: boolean;
}

export function sameLine(a: Line, b: Line): boolean {
  return a.key === b.key && a.value === b.value;
}
