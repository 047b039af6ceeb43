import type { CommandForm } from "../grammar.js";

export interface DockerCommand {
  summary: string;
  load: () => Promise<{ command: CommandForm }>;
}

/** The words behind `brig docker`, and those behind "container", which are the same. */
export const dockerCommands: Record<string, DockerCommand> = {
  run: { summary: "Create and run a new container from an image", load: () => import("./run.js") },
  create: { summary: "Create a new container", load: () => import("./create.js") },
  start: { summary: "Start one or more stopped containers", load: () => import("./start.js") },
  stop: { summary: "Stop one or more running containers", load: () => import("./stop.js") },
  restart: { summary: "Restart one or more containers", load: () => import("./restart.js") },
  kill: { summary: "Kill one or more running containers", load: () => import("./kill.js") },
  pause: { summary: "Pause all processes within one or more containers", load: () => import("./pause.js") },
  unpause: { summary: "Unpause all processes within one or more containers", load: () => import("./unpause.js") },
  wait: { summary: "Block until one or more containers stop, then print their exit codes", load: () => import("./wait.js") },
  rm: { summary: "Remove one or more containers", load: () => import("./rm.js") },
  rename: { summary: "Rename a container", load: () => import("./rename.js") },
  ps: { summary: "List containers", load: () => import("./ps.js") },
  logs: { summary: "Fetch the logs of a container", load: () => import("./logs.js") },
  exec: { summary: "Execute a command in a running container", load: () => import("./exec.js") },
  attach: { summary: "Attach local standard input, output, and error streams to a running container", load: () => import("./attach.js") },
  cp: { summary: "Copy files/folders between a container and the local filesystem", load: () => import("./cp.js") },
  diff: { summary: "Inspect changes to files or directories on a container's filesystem", load: () => import("./diff.js") },
  export: { summary: "Export a container's filesystem as a tar archive", load: () => import("./export.js") },
  commit: { summary: "Create a new image from a container's changes", load: () => import("./commit.js") },
  inspect: { summary: "Return low-level information on Docker objects", load: () => import("./inspect.js") },
  port: { summary: "List port mappings for the container", load: () => import("./port.js") },
  top: { summary: "Display the running processes of a container", load: () => import("./top.js") },
  stats: { summary: "Display a live stream of container(s) resource usage statistics", load: () => import("./stats.js") },
  info: { summary: "Display system-wide information", load: () => import("./info.js") },
  version: { summary: "Show the version information", load: () => import("./version.js") },
  network: { summary: "Manage networks: create, ls, inspect, rm, prune, connect, disconnect", load: () => import("../commands/network.js") },
  volume: { summary: "Manage volumes: create, ls, inspect, rm, prune", load: () => import("./volume.js") },
  prune: { summary: "Remove all stopped containers", load: () => import("./prune.js") },
  pull: { summary: "Download an image from a registry", load: () => import("../commands/pull.js") },
  push: { summary: "Upload an image to a registry", load: () => import("../commands/push.js") },
  images: { summary: "List images", load: () => import("../commands/images.js") },
  rmi: { summary: "Remove one or more images", load: () => import("../commands/rmi.js") },
  tag: { summary: "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE", load: () => import("../commands/tag.js") },
  history: { summary: "Show the history of an image", load: () => import("../commands/history.js") },
  image: { summary: "Manage images", load: () => import("../commands/image.js") },
  system: { summary: "Manage Docker", load: () => import("../commands/system.js") },
  save: { summary: "Save one or more images to a tar archive", load: () => import("../commands/save.js") },
  load: { summary: "Load an image from a tar archive or STDIN", load: () => import("../commands/load.js") },
  import: { summary: "Import the contents from a tarball to create a filesystem image", load: () => import("../commands/import.js") },
  login: { summary: "Authenticate to a registry", load: () => import("../images/login.js") },
  logout: { summary: "Log out from a registry", load: () => import("../commands/logout.js") },
  search: { summary: "Search Docker Hub for images", load: () => import("../commands/search.js") },
};
