import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isBeneath } from "../host/mountinfo.js";
import { consultEnv, consultFile, type Draft } from "./draft.js";

/** System folders cannot hold a private home: they are read-only. */
const UNFIT = ["/usr", "/etc", "/bin", "/sbin", "/proc", "/sys", "/dev"];
const FALLBACK = "/home/payload";

/** Where the payload's home is: the caller's place, empty; in a root of its own what that root's passwd says. */
export function chooseHome(draft: Draft): string {
  if (draft.options.root !== undefined) return findAccountHome(consultFile(draft, join(draft.options.root, "etc/passwd")), draft.process.user?.uid ?? 0) ?? "/";
  const { home } = draft.context;
  consultEnv(draft, "HOME");
  const isFit = home.startsWith("/") && home !== "/" && home !== "/nonexistent" && !UNFIT.some((folder) => isBeneath(home, folder));
  return isFit ? home : FALLBACK;
}

function findAccountHome(passwd: string, uid: number): string | undefined {
  try {
    const lines = readFileSync(passwd, "utf8").split("\n");
    return lines.map((line) => line.split(":")).find((fields) => Number(fields[2]) === uid)?.[5] || undefined;
  } catch {
    return undefined;
  }
}
