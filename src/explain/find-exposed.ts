import { readText } from "../host/read-text.js";
import { describeAbstractSocket, KNOWN_SOCKETS, matchesPart } from "./known-sockets.js";
import { isHarmlessDevice } from "./posture.js";
import type { View } from "./view-of-root.js";

const DEEPEST = 3;

/** Well-known sockets that are there in a root, each once. */
export function findSockets(view: View): { path: string; what: string }[] {
  const found = new Map<string, string>();
  for (const { pattern, what } of KNOWN_SOCKETS)
    for (const path of expandPattern(view, pattern)) {
      const entry = view.stat(path);
      if (entry?.stats.isSocket()) found.set(entry.path, what);
    }
  return [...found].map(([path, what]) => ({ path, what }));
}

function expandPattern(view: View, pattern: string): string[] {
  let paths = [""];
  for (const part of pattern.split("/").slice(1))
    paths = paths.flatMap((path) => {
      if (!part.includes("*")) return [`${path}/${part}`];
      return view.list(path || "/").filter((entry) => matchesPart(entry.name, part)).map((entry) => `${path}/${entry.name}`);
    });
  return paths;
}

/** An ssh agent's socket at an unusual place, which the process's environment names. */
export function findAgent(view: View, environ: string): { path: string; what: string }[] {
  const path = /(?:^|\0)SSH_AUTH_SOCK=(\/[^\0]*)/.exec(environ)?.[1];
  const found = path === undefined ? undefined : view.stat(path);
  return found?.stats.isSocket() ? [{ path: found.path, what: "an ssh agent: logs in elsewhere as you" }] : [];
}

/** Well-known abstract sockets in a network namespace, from /proc/PID/net/unix (unix(7)). */
export function findAbstractSockets(file: string): { path: string; what: string }[] {
  const found = new Map<string, string>();
  for (const line of (readText(file) ?? "").split("\n")) {
    const name = line.slice(line.lastIndexOf(" ") + 1);
    const what = describeAbstractSocket(name);
    if (what !== undefined) found.set(name, what);
  }
  return [...found].map(([path, what]) => ({ path, what }));
}

/** Device nodes in /dev of a root beyond the harmless ones, to a depth of three folders. */
export function findDevices(view: View, folder = "/dev", depth = 1): string[] {
  return view.list(folder).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.kind === "folder") return depth < DEEPEST && path !== "/dev/shm" ? findDevices(view, path, depth + 1) : [];
    return entry.kind === "device" && !isHarmlessDevice(path) ? [path] : [];
  });
}
