/** Sockets whose owner does for a client what the client could not do itself. `pattern` has "*" for part of a name. */
export const KNOWN_SOCKETS: readonly { pattern: string; what: string }[] = [
  { pattern: "/run/docker.sock", what: "Docker: root on the host for who can write to it" },
  { pattern: "/var/run/docker.sock", what: "Docker: root on the host for who can write to it" },
  { pattern: "/run/podman/podman.sock", what: "Podman: starts containers as root" },
  { pattern: "/run/user/*/podman/podman.sock", what: "Podman: starts containers as the user" },
  { pattern: "/run/containerd/containerd.sock", what: "containerd: root on the host" },
  { pattern: "/run/crio/crio.sock", what: "CRI-O: root on the host" },
  { pattern: "/run/snapd.socket", what: "snapd: installs software" },
  { pattern: "/run/systemd/private", what: "systemd: starts units as root" },
  { pattern: "/run/user/*/systemd/private", what: "the user's systemd: starts programs outside" },
  { pattern: "/run/dbus/system_bus_socket", what: "the system's D-Bus: asks services that run as root" },
  { pattern: "/var/run/dbus/system_bus_socket", what: "the system's D-Bus: asks services that run as root" },
  { pattern: "/run/user/*/bus", what: "the user's D-Bus: can start programs outside (systemd, gnome-shell)" },
  { pattern: "/tmp/.X11-unix/X*", what: "X11: reads the keyboard and screen of, and types into, every other window" },
  { pattern: "/run/user/*/wayland-*", what: "Wayland: windows and the clipboard" },
  { pattern: "/run/user/*/pulse/native", what: "PulseAudio: the microphone" },
  { pattern: "/run/user/*/pipewire-*", what: "PipeWire: the microphone, perhaps the screen" },
  { pattern: "/run/brig-desktop/wayland-*", what: "Wayland: windows and the clipboard" },
  { pattern: "/run/brig-desktop/pulse/native", what: "PulseAudio: the microphone" },
  { pattern: "/run/brig-desktop/pipewire-*", what: "PipeWire: the microphone, perhaps the screen" },
  { pattern: "/tmp/ssh-*/agent.*", what: "an ssh agent: logs in elsewhere as you" },
  { pattern: "/run/user/*/keyring/*", what: "the key ring: passwords, an ssh agent" },
  { pattern: "/run/user/*/gnupg/S.gpg-agent*", what: "the gpg agent: decrypts and signs as you" },
  { pattern: "/run/user/*/openssh_agent", what: "an ssh agent: logs in elsewhere as you" },
];

/** Whether a name matches one part of a pattern. */
export function matchesPart(name: string, part: string): boolean {
  const [before = "", ...after] = part.split("*");
  if (after.length === 0) return name === part;
  const end = after.join("*");
  return name.length >= before.length + end.length && name.startsWith(before) && name.endsWith(end);
}

/** What a well-known abstract socket's name ("@/tmp/.X11-unix/X0") gives; undefined for others. */
export function describeAbstractSocket(name: string): string | undefined {
  if (name.startsWith("@/tmp/.X11-unix/")) return "X11, by its abstract name: reads the keyboard, types into other windows";
  if (name.startsWith("@/tmp/dbus-")) return "D-Bus, by its abstract name: asks services outside";
  if (name.startsWith("@/containerd-shim/")) return "a containerd shim, by its abstract name: root on the host (CVE-2020-15257)";
  return undefined;
}
