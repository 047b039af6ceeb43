import { readFileSync } from "node:fs";
import { addFileAt, addTrace, type Draft } from "./draft.js";
import { addModule, type Trace } from "./trace-program.js";

const FILES = ["nsswitch.conf", "hosts", "host.conf", "resolv.conf", "gai.conf", "services", "protocols", "networks"];
const USED = new Set(["passwd", "group", "hosts", "networks", "services", "protocols"]);

/** Adds what it takes to look up user and host names: the files of the C library and its NSS modules (nsswitch.conf(5)). */
export function addNames(draft: Draft, traces: Trace[]): void {
  for (const name of FILES) {
    const file = draft.sight.root.resolve(`/etc/${name}`);
    // The content, not the link: /etc/resolv.conf often leads into /run, which a jail does not share.
    if (file?.stat.isFile()) addFileAt(draft, file, `/etc/${name}`, "--names");
  }
  const services = listNssServices(readNsswitch(draft));
  for (const { elf, interpreter } of listKinds(traces)) {
    const trace: Trace = { needs: [], missing: [], binaries: traces.flatMap(({ binaries }) => binaries).filter((b) => b.report.interpreter === interpreter).slice(0, 1) };
    const absent = services.filter((service) => !addModule(draft.sight, trace, `libnss_${service}.so.2`, elf, interpreter, `--names (nsswitch.conf: ${service})`));
    addTrace(draft, trace);
    if (absent.length > 0) draft.notes.add(`nsswitch.conf names ${absent.join(", ")}, whose libnss_*.so.2 is not here (the C library has files and dns within)`);
  }
}

function readNsswitch(draft: Draft): string {
  const file = draft.sight.root.resolve("/etc/nsswitch.conf");
  return file?.stat.isFile() && file.stat.size < 1 << 20 ? readFileSync(file.host, "utf8") : "passwd: files\ngroup: files\nhosts: files dns\n";
}

/** The services that nsswitch.conf names for users, hosts and ports, without "[NOTFOUND=return]" and the like. */
export function listNssServices(text: string): string[] {
  const lines = text.split("\n").map((line) => /^\s*(\w+)\s*:([^#]*)/.exec(line));
  const words = lines.filter((line) => line && USED.has(line[1]!)).flatMap((line) => line![2]!.replace(/\[[^\]]*\]/g, " ").split(/\s+/));
  return [...new Set(words.filter((word) => /^[a-z0-9_]+$/i.test(word)))];
}

/** One program for each C library of glibc's kind: musl has no modules. */
function listKinds(traces: Trace[]): { elf: Trace["binaries"][number]["elf"]; interpreter: string }[] {
  const kinds = new Map<string, { elf: Trace["binaries"][number]["elf"]; interpreter: string }>();
  for (const { elf, report } of traces.flatMap(({ binaries }) => binaries)) {
    if (report.loader?.family === "glibc" && report.interpreter) kinds.set(report.interpreter, { elf, interpreter: report.interpreter });
  }
  return [...kinds.values()];
}
