import type { Checkup, Finding } from "./finding.js";

/** Programs of the host that brig starts for what it does not do itself; all of them are optional. */
const TOOLS: readonly { name: string; debian: string; means: string }[] = [
  { name: "newuidmap", debian: "uidmap", means: "maps an ordinary user's subordinate ids" },
  { name: "pasta", debian: "passt", means: "--net user: outgoing network without root" },
  { name: "nft", debian: "nftables", means: "--allow-host, and the NAT of --net veth and bridge" },
  { name: "ip", debian: "iproute2", means: "links, addresses and routes: brig netns, --allow-host, --net veth" },
  { name: "debootstrap", debian: "debootstrap", means: "roots made of a Debian release" },
  { name: "skopeo", debian: "skopeo", means: "images copied from and to other stores" },
  { name: "Xvfb", debian: "xvfb", means: "--x11: an X server without a screen" },
  { name: "Xephyr", debian: "xserver-xephyr", means: "--x11: an X server in a window" },
  { name: "xdg-dbus-proxy", debian: "xdg-dbus-proxy", means: "a filtered D-Bus for desktop programs" },
  { name: "fuse-overlayfs", debian: "fuse-overlayfs", means: "overlays of an ordinary user on kernels before 5.11" },
  { name: "crun", debian: "crun", means: "running a sandbox's spec under another runtime, to compare" },
];

/** Which helper programs are installed. */
export function checkTools({ facts }: Checkup): Finding[] {
  return TOOLS.map(({ name, debian, means }): Finding => {
    const path = facts.hasTool(name);
    if (path) return { topic: name, state: "ok", what: path, means };
    return { topic: name, state: "missing", what: "not installed", means, fix: `apt-get install ${debian}` };
  });
}
