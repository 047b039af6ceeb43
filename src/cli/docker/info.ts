import { arch, cpus, hostname, release, totalmem } from "node:os";
import { openContainersFolder } from "../../container/folder.js";
import { readState } from "../../container/status.js";
import { readContainers } from "../../container/store.js";
import { listImages } from "../../image/store/stored-image.js";
import { openImageStore } from "../../image/store/open.js";
import { findDataFolder } from "../../sandbox/data-folder.js";
import type { CommandForm } from "../grammar.js";
import { showSize } from "../output/human.js";
import { print } from "../output/print.js";
import { compileTemplate } from "../output/template.js";
import { version } from "../version.js";

export const command: CommandForm = {
  name: "docker info",
  usage: ["docker info [-f FORMAT]"],
  description: "What there is of containers and images, and what they run on.",
  options: [{ name: "format", short: "f", value: "FORMAT", help: "a template as '{{.Containers}}', or json" }],
  maxOperands: 0,
  async run(words) {
    const format = words.value("format");
    const facts = await readFacts();
    if (format !== undefined) return print(`${format === "json" ? JSON.stringify(facts) : compileTemplate(format)(facts)}\n`);
    print(LINES.map(([field, heading]) => `${heading}: ${field === "MemTotal" ? showSize(facts.MemTotal) : String(facts[field])}\n`).join(""));
  },
};

const LINES = [
  ["Containers", "Containers"], ["ContainersRunning", " Running"], ["ContainersPaused", " Paused"], ["ContainersStopped", " Stopped"], ["Images", "Images"], ["ServerVersion", "Server Version"],
  ["Driver", "Storage Driver"], ["LoggingDriver", "Logging Driver"], ["Rootless", "Rootless"], ["KernelVersion", "Kernel Version"], ["Architecture", "Architecture"], ["NCPU", "CPUs"], ["MemTotal", "Total Memory"],
  ["Name", "Name"], ["DockerRootDir", "Docker Root Dir"],
] as const;

async function readFacts() {
  const folder = openContainersFolder();
  const states = readContainers(folder).map((container) => readState(folder, container).Status);
  const count = (...wanted: string[]): number => states.filter((status) => wanted.includes(status)).length;
  return {
    Containers: states.length, ContainersRunning: count("running", "restarting"), ContainersPaused: count("paused"), ContainersStopped: count("exited", "created"),
    Images: (await listImages(await openImageStore())).length, ServerVersion: version, Driver: "overlay2", LoggingDriver: "json-file", Rootless: process.geteuid?.() !== 0,
    KernelVersion: release(), OSType: "linux", Architecture: arch() === "x64" ? "x86_64" : arch(), NCPU: cpus().length, MemTotal: totalmem(), Name: hostname(), DockerRootDir: findDataFolder(),
  };
}
