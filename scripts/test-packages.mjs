// The Debian packages whose programs the tests hold brig against. Missing ones are installed where that is possible
// (root, apt-get); otherwise the tests that need them skip and say so.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { runStep } from "./step.mjs";

/** A package, and a program or file by which it is known to be there. */
const PACKAGES = {
  bubblewrap: "bwrap", firejail: "firejail", strace: "strace", uidmap: "newuidmap", passt: "pasta", iproute2: "ip", nftables: "nft",
  "util-linux": "unshare", procps: "ps", tmux: "tmux", clang: "clang", crun: "crun", runc: "runc", debootstrap: "debootstrap", mmdebstrap: "mmdebstrap", attr: "setfattr", acl: "setfacl", "btrfs-progs": "mkfs.btrfs", "libcap2-bin": "setcap", jq: "jq",
  "iputils-ping": "ping", "libseccomp-dev": "/usr/include/seccomp.h", "musl-tools": "musl-gcc", zsh: "zsh", fish: "fish",
  "firejail-profiles": "/etc/firejail/firefox.profile", cpio: "cpio", "libarchive-tools": "bsdtar", w3m: "w3m", "libimage-exiftool-perl": "exiftool", "p7zip-full": "7z",
  "docker-registry": "docker-registry", skopeo: "skopeo", umoci: "umoci", podman: "podman", zip: "zip", unzip: "unzip", zstd: "zstd", aria2: "aria2c", "poppler-utils": "pdftotext", iptables: "iptables-restore", "squashfs-tools": "unsquashfs", "xdg-dbus-proxy": "xdg-dbus-proxy", dbus: "dbus-daemon", "dbus-tests": "dbus-test-tool",
  xvfb: "Xvfb", "xserver-xephyr": "Xephyr", xauth: "xauth", xterm: "xterm", "x11-apps": "xwd", "x11-utils": "xwininfo", "x11-xserver-utils": "xhost", xinput: "xinput", chromium: "chromium", imagemagick: "import",
  "systemd-container": "systemd-nspawn", e2fsprogs: "chattr", "xz-utils": "xz", "busybox-static": "/bin/busybox", gpg: "gpg", gpgv: "gpgv", bsdutils: "script",
};

function isThere(mark) {
  if (mark.startsWith("/")) return existsSync(mark);
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.some((folder) => existsSync(join(folder, mark)));
}

export async function installTestPackages() {
  if (process.env.BRIG_TEST_PACKAGES === "no" || process.geteuid() !== 0 || !existsSync("/usr/bin/apt-get")) return;
  const missing = Object.keys(PACKAGES).filter((name) => !isThere(PACKAGES[name]));
  if (missing.length === 0) return;
  const known = missing.filter((name) => spawnSync("apt-cache", ["show", "--no-all-versions", name], { stdio: "ignore" }).status === 0);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  try {
    if (known.length < missing.length) await runStep("reading the lists of packages", "apt-get", ["update", "-qq"], undefined, env);
    await runStep(`installing what the tests compare with: ${missing.join(" ")}`, "apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...missing], undefined, env);
  } catch (error) {
    console.error(`brig: ${error.message}; tests that need ${missing.join(", ")} will skip`);
  }
}
