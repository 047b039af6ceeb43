import type { CommandForm } from "../grammar.js";

export interface Registration {
  /** The heading under which `brig --help` lists it. */
  group: Group;
  /** One line for `brig --help`, without a full stop. */
  summary: string;
  load: () => Promise<{ command: CommandForm }>;
}

export type Group = "Run something" | "What runs" | "Understand" | "Tools with their own grammar" | "Roots" | "Networks" | "Images" | "brig itself" | "hidden";

export const groups: Group[] = ["Run something", "What runs", "Understand", "Tools with their own grammar", "Roots", "Networks", "Images", "brig itself"];

/** Every command. The order is that of `brig --help`. */
export const commands: Record<string, Registration> = {
  run: {
    group: "Run something",
    summary: "run a command that you do not trust",
    load: () => import("./run.js"),
  },
  ps: {
    group: "What runs",
    summary: "list sandboxes",
    load: () => import("./ps.js"),
  },
  exec: {
    group: "What runs",
    summary: "run one more command in a running sandbox",
    load: () => import("./exec.js"),
  },
  attach: {
    group: "What runs",
    summary: "sit down in front of a detached sandbox",
    load: () => import("./attach.js"),
  },
  logs: {
    group: "What runs",
    summary: "print what a detached sandbox wrote",
    load: () => import("./logs.js"),
  },
  stats: {
    group: "What runs",
    summary: "what sandboxes use: processor, memory, disk, network",
    load: () => import("./stats.js"),
  },
  inspect: {
    group: "What runs",
    summary: "all that is known of a sandbox, as JSON",
    load: () => import("./inspect.js"),
  },
  wait: {
    group: "What runs",
    summary: "wait for the end of a sandbox and print its exit code",
    load: () => import("./wait.js"),
  },
  stop: {
    group: "What runs",
    summary: "ask a sandbox to end, then end it",
    load: () => import("./stop.js"),
  },
  kill: {
    group: "What runs",
    summary: "send a signal to a sandbox",
    load: () => import("./kill.js"),
  },
  pause: {
    group: "What runs",
    summary: "stop all processes of a sandbox where they are",
    load: () => import("./pause.js"),
  },
  unpause: {
    group: "What runs",
    summary: "let a paused sandbox run on",
    load: () => import("./unpause.js"),
  },
  rm: {
    group: "What runs",
    summary: "remove what an ended sandbox left",
    load: () => import("./rm.js"),
  },
  network: {
    group: "Networks",
    summary: "networks with names, on which sandboxes find each other",
    load: () => import("./network.js"),
  },
  plan: {
    group: "Understand",
    summary: "print a sandbox's kernel steps, or write them as a program",
    load: () => import("./plan.js"),
  },
  spec: {
    group: "Understand",
    summary: "print a sandbox as an OCI config.json",
    load: () => import("./spec.js"),
  },
  __failure: {
    group: "hidden",
    summary: "say why a step failed",
    load: () => import("./failure.js"),
  },
  doctor: {
    group: "Understand",
    summary: "what this host offers and lacks for sandboxes, and what to do",
    load: () => import("./doctor.js"),
  },
  explain: {
    group: "Understand",
    summary: "what separates a process from the host, wall by wall",
    load: () => import("./explain.js"),
  },
  learn: {
    group: "Understand",
    summary: "watch what a program needs, and write the tightest profile for it",
    load: () => import("./learn.js"),
  },
  jail: {
    group: "Roots",
    summary: "make a root with just some programs, or check one",
    load: () => import("./jail.js"),
  },
  rootfs: {
    group: "Roots",
    summary: "make a Debian root, or say what a root lacks to be entered",
    load: () => import("./rootfs.js"),
  },
  clone: {
    group: "Roots",
    summary: "copy a root with all that its files have, sharing blocks where that can be",
    load: () => import("./clone.js"),
  },
  snapshot: {
    group: "Roots",
    summary: "keep a root as it is now",
    load: () => import("./snapshot.js"),
  },
  diff: {
    group: "Roots",
    summary: "what changed in a root, or what a sandbox wrote",
    load: () => import("./diff.js"),
  },
  unit: {
    group: "Run something",
    summary: "write a systemd service with the walls of brig run",
    load: () => import("./unit.js"),
  },
  unshare: {
    group: "Tools with their own grammar",
    summary: "run a program in new namespaces, as unshare(1) does",
    load: () => import("./unshare.js"),
  },
  nsenter: {
    group: "Tools with their own grammar",
    summary: "run a program in another process's namespaces, as nsenter(1) does",
    load: () => import("./nsenter.js"),
  },
  chroot: {
    group: "Tools with their own grammar",
    summary: "run a program in another root, as chroot(8) does, or walled in with --hardened",
    load: () => import("./chroot.js"),
  },
  netns: {
    group: "Tools with their own grammar",
    summary: "network namespaces with names, as ip-netns(8) has them, and a way out for them",
    load: () => import("./netns.js"),
  },
  machinectl: {
    group: "Tools with their own grammar",
    summary: "machines and their images, as machinectl(1) has them, with or without systemd",
    load: () => import("./machinectl.js"),
  },
  journalctl: {
    group: "Tools with their own grammar",
    summary: "what a machine has logged, as journalctl(1) shows it",
    load: () => import("./journalctl.js"),
  },
  login: {
    group: "What runs",
    summary: "log in to a machine, or to a registry of images",
    load: () => import("./login.js"),
  },
  shell: {
    group: "What runs",
    summary: "a shell in a machine, without a password",
    load: () => import("./shell.js"),
  },
  profile: {
    group: "Understand",
    summary: "what a Firejail profile comes to, what in it does nothing, and the same for brig run",
    load: () => import("./profile.js"),
  },
  firejail: {
    group: "Tools with their own grammar",
    summary: "run a program with Firejail's profiles and options, without a setuid program",
    load: () => import("./firejail.js"),
  },
  nspawn: {
    group: "Tools with their own grammar",
    summary: "run or boot a system in a folder or an image, as systemd-nspawn(1) does",
    load: () => import("./nspawn.js"),
  },
  bwrap: {
    group: "Tools with their own grammar",
    summary: "run a program in a root put together from words, as bwrap(1) does",
    load: () => import("./bwrap.js"),
  },
  docker: {
    group: "Tools with their own grammar",
    summary: "docker's commands without a daemon, in a user namespace",
    load: () => import("./docker.js"),
  },
  pull: {
    group: "Images",
    summary: "get an image from its registry",
    load: () => import("./pull.js"),
  },
  push: {
    group: "Images",
    summary: "send an image to its registry",
    load: () => import("./push.js"),
  },
  images: {
    group: "Images",
    summary: "list the images that are here",
    load: () => import("./images.js"),
  },
  rmi: {
    group: "Images",
    summary: "take names from images, and remove what has none left",
    load: () => import("./rmi.js"),
  },
  tag: {
    group: "Images",
    summary: "give an image one more name",
    load: () => import("./tag.js"),
  },
  history: {
    group: "Images",
    summary: "the steps that an image was made in",
    load: () => import("./history.js"),
  },
  image: {
    group: "Images",
    summary: "the commands for images under one word, with inspect and prune",
    load: () => import("./image.js"),
  },
  save: {
    group: "Images",
    summary: "write images to an archive",
    load: () => import("./save.js"),
  },
  load: {
    group: "Images",
    summary: "add the images of an archive",
    load: () => import("./load.js"),
  },
  import: {
    group: "Images",
    summary: "make an image of a plain archive of a root",
    load: () => import("./import.js"),
  },
  logout: {
    group: "Images",
    summary: "forget the name and password for a registry",
    load: () => import("./logout.js"),
  },
  search: {
    group: "Images",
    summary: "look for repositories of a registry",
    load: () => import("./search.js"),
  },
  system: {
    group: "Images",
    summary: "what of the disk images take",
    load: () => import("./system.js"),
  },
  shims: {
    group: "brig itself",
    summary: "make commands of the tools' own names that run brig",
    load: () => import("./shims.js"),
  },
  completion: {
    group: "brig itself",
    summary: "print a completion script for a shell",
    load: () => import("./completion.js"),
  },
};
