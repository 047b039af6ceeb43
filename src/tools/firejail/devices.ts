import { lstatSync, readdirSync, statSync } from "node:fs";
import { byFirejail, type Draft, hide, isRoot } from "./draft.js";
import { findLast, hasRule, type Rule } from "./rule.js";

/** Devices of private-dev beyond the harmless ones, with the rule that takes them out (fs_dev.c). */
const DEVICES: [pattern: RegExp, refusal: string | undefined][] = [
  [/^(null|zero|full|random|urandom|tty|log)$/, undefined],
  [/^(dri|kfd|nvidia.*)$/, "no3d"],
  [/^(snd)$/, "nosound"],
  [/^(dvb)$/, "notv"],
  [/^(sr\d+|cdrom|cdrw|dvd|dvdrw)$/, "nodvd"],
  [/^(video\d+|media\d+)$/, "novideo"],
  [/^(hidraw\d+|usb)$/, "nou2f"],
  [/^(input)$/, "noinput"],
  [/^(lp\d+|usblp\d*)$/, "noprinters"],
];

/** private-dev, and the devices that single words take away. */
export function applyDevices(draft: Draft): void {
  const rule = findLast(draft.rules, "private-dev");
  if (rule) buildDev(draft, rule);
  else hideDevices(draft);
  hideSound(draft);
}

function buildDev(draft: Draft, rule: Rule): void {
  const { view, extension } = draft;
  const { origin } = rule;
  view.cover("/dev", "tmpfs", ["mode=0755"], origin, { nodev: false });
  for (const name of readdirSync("/dev").filter((each) => isOffered(draft, each))) view.bind(`/dev/${name}`, `/dev/${name}`, origin);
  const group = isRoot(draft) ? ["gid=5"] : [];
  view.cover("/dev/pts", "devpts", ["newinstance", "ptmxmode=0666", "mode=0620", ...group], origin, { nodev: false, noexec: true });
  if (hasRule(draft.rules, "keep-dev-shm")) view.bind("/dev/shm", "/dev/shm", origin);
  else extension.files.push({ type: "dir", path: "/dev/shm", mode: 0o1777 });
  const links = { fd: "/proc/self/fd", stdin: "/proc/self/fd/0", stdout: "/proc/self/fd/1", stderr: "/proc/self/fd/2", ptmx: "/dev/pts/ptmx" };
  for (const [name, target] of Object.entries(links)) extension.files.push({ type: "symlink", path: `/dev/${name}`, target });
}

function isOffered(draft: Draft, name: string): boolean {
  const known = DEVICES.find(([pattern]) => pattern.test(name));
  if (!known || (known[1] !== undefined && hasRule(draft.rules, known[1]))) return false;
  return statSync(`/dev/${name}`, { throwIfNoEntry: false }) !== undefined && !lstatSync(`/dev/${name}`).isSymbolicLink();
}

function hideDevices(draft: Draft): void {
  const refused = DEVICES.filter(([, refusal]) => refusal !== undefined && hasRule(draft.rules, refusal));
  if (refused.length === 0) return;
  for (const name of draft.context.folders.list("/dev")) {
    const [, refusal] = refused.find(([pattern]) => pattern.test(name)) ?? [];
    if (refusal !== undefined) hide(draft, `/dev/${name}`, findLast(draft.rules, refusal)!.origin);
  }
}

/** nosound: the sockets of PulseAudio and PipeWire too (pulseaudio.c, fs_dev.c). */
function hideSound(draft: Draft): void {
  const { home, runUser } = draft.context.places;
  const sound = findLast(draft.rules, "nosound");
  if (sound) for (const path of [`${home}/.config/pulse`, `${home}/.pulse`, `${runUser}/pulse`, `${runUser}/pipewire-0`, `${runUser}/pipewire-0-manager`]) hide(draft, path, sound.origin);
  if (sound) for (const name of draft.context.folders.list("/tmp", "pulse-")) hide(draft, `/tmp/${name}`, sound.origin);
  const input = findLast(draft.rules, "noinput");
  if (input) hide(draft, "/dev/input", input.origin);
  const screen = findLast(draft.rules, "no3d");
  if (screen) hide(draft, "/dev/dri", screen.origin);
  if (!hasRule(draft.rules, "writable-run-user"))
    for (const name of ["gnupg", "systemd"]) hide(draft, `${runUser}/${name}`, byFirejail("keys and services of the user (writable-run-user opens it)"));
}
