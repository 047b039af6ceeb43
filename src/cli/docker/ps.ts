import { openContainersFolder } from "../../container/folder.js";
import { sweepContainers } from "../../container/life.js";
import type { Container } from "../../container/model.js";
import { type ContainerState, readState } from "../../container/status.js";
import { readContainers } from "../../container/store.js";
import { readPorts, showPorts } from "../../container/ports.js";
import { BrigError } from "../../error/brig-error.js";
import { type CommandForm, type ParsedWords } from "../grammar.js";
import { showDockerAge } from "../output/docker-words.js";
import { printListing } from "../output/listing.js";
import { print } from "../output/print.js";
import type { Fields } from "../output/template.js";

interface Listed {
  container: Container;
  state: ContainerState;
}

export const command: CommandForm = {
  name: "docker ps",
  usage: ["docker ps [-a] [-q] [-l] [-n N] [-f FILTER] [--no-trunc]"],
  options: [
    { name: "all", short: "a", help: "Show all containers (default shows just running)" },
    { name: "quiet", short: "q", help: "Only display container IDs" },
    { name: "latest", short: "l", help: "Show the latest created container (includes all states)" },
    { name: "last", short: "n", value: "N", help: "Show n last created containers (includes all states)" },
    { name: "filter", short: "f", value: "KEY=VALUE", repeat: true, help: "id=, name=, label=NAME[=VALUE], status=, ancestor=, exited=" },
    { name: "format", value: "FORMAT", help: "table, json, or a template as '{{.Names}}'" },
    { name: "no-trunc", help: "Don't truncate output" },
    { name: "size", short: "s", help: "Display total file sizes" },
  ],
  maxOperands: 0,
  async run(words) {
    const folder = openContainersFolder();
    await sweepContainers(folder);
    const shown = select(readContainers(folder).map((container) => ({ container, state: readState(folder, container) })), words);
    const whole = words.has("no-trunc");
    if (words.has("quiet")) return print(shown.map(({ container: { Id } }) => `${whole ? Id : Id.slice(0, 12)}\n`).join(""));
    printListing({ format: words.value("format"), columns: COLUMNS, rows: shown.map((each) => toFields(each, whole)), headings: { CreatedAt: "CREATED AT", State: "STATE", Labels: "LABELS", Mounts: "MOUNTS", Networks: "NETWORKS" } });
  },
};

function select(all: Listed[], words: ParsedWords): Listed[] {
  const newest = all.toSorted((a, b) => b.container.Created.localeCompare(a.container.Created));
  const filters = words.values("filter").map(parseFilter);
  const last = words.has("latest") ? 1 : words.value("last") === undefined ? 0 : Number(words.value("last"));
  const any = words.has("all") || last > 0 || filters.some(({ key }) => key === "status" || key === "exited");
  const keys = [...new Set(filters.map(({ key }) => key))];
  const found = newest
    .filter(({ state }) => any || state.Status === "running" || state.Status === "paused" || state.Status === "restarting")
    .filter((each) => keys.every((key) => filters.some((filter) => filter.key === key && FILTERS[key]!(each, filter.value))));
  return last > 0 ? found.slice(0, last) : found;
}

const FILTERS: Record<string, (listed: Listed, value: string) => boolean> = {
  id: ({ container }, value) => container.Id.startsWith(value),
  name: ({ container }, value) => container.Name.includes(value.replace(/^\//, "")),
  status: ({ state }, value) => state.Status === value,
  exited: ({ state }, value) => state.Status === "exited" && state.ExitCode === Number(value),
  ancestor: ({ container }, value) => container.ImageRef === value || container.ImageId === value || container.ImageId.startsWith(`sha256:${value}`) || container.ImageRef.split(":")[0] === value,
  label: ({ container: { Config } }, value) => {
    const [name = "", wanted] = value.split(/=(.*)/s);
    return Object.hasOwn(Config.Labels, name) && (wanted === undefined || Config.Labels[name] === wanted);
  },
};

function parseFilter(text: string): { key: string; value: string } {
  const [key = "", value] = text.split(/=(.*)/s);
  if (value !== undefined && Object.hasOwn(FILTERS, key)) return { key, value };
  throw new BrigError(value === undefined ? "invalid argument for --filter: bad format of filter (expected name=value)" : `invalid filter '${key}'`, { code: "BRIG_BAD_VALUE", exitCode: 1, hint: `${Object.keys(FILTERS).join("=, ")}=` });
}

const COLUMNS: [string, string][] = [["ID", "CONTAINER ID"], ["Image", "IMAGE"], ["Command", "COMMAND"], ["RunningFor", "CREATED"], ["Status", "STATUS"], ["Ports", "PORTS"], ["Names", "NAMES"]];
const SHORT = 20;

function toFields({ container, state }: Listed, whole: boolean): Fields {
  const { Id, ImageRef, Config, Created, Name, Mounts, HostConfig } = container;
  const line = [...Config.Entrypoint, ...Config.Cmd].join(" ");
  return {
    ID: whole ? Id : Id.slice(0, 12), Image: ImageRef, Command: `"${whole || line.length < SHORT ? line : `${line.slice(0, SHORT - 2)}…`}"`,
    CreatedAt: Created, RunningFor: showDockerAge(Date.parse(Created)), Status: showStatus(state), State: state.Status, Names: Name,
    Ports: state.Pid > 0 ? showPorts(readPorts(container)) : "", Labels: Object.entries(Config.Labels).map(([name, value]) => `${name}=${value}`).join(","),
    Mounts: Mounts.map(({ Name: volume, Source }) => volume ?? Source).join(","), Networks: HostConfig.NetworkMode, LocalVolumes: Mounts.filter(({ Type }) => Type === "volume").length,
  };
}

/** "Up 3 minutes (Paused)", "Exited (137) 2 hours ago". */
export function showStatus({ Status, StartedAt, FinishedAt, ExitCode }: ContainerState): string {
  const ago = (time: string): string => showDockerAge(Date.parse(time));
  const since = (time: string): string => ago(time).replace(/ ago$/, "");
  if (Status === "running") return `Up ${since(StartedAt)}`;
  if (Status === "paused") return `Up ${since(StartedAt)} (Paused)`;
  if (Status === "restarting") return `Restarting (${ExitCode}) ${ago(FinishedAt)}`;
  return Status === "exited" ? `Exited (${ExitCode}) ${ago(FinishedAt)}` : "Created";
}
