/** The roots that tests share. The cache's key is the recipe: whoever changes one gets a new root. */
export const RECIPES = {
  /** Boots: systemd, dbus, PAM, ip, ps, passwd, apt. About 220 MB. */
  machine: ["--variant=minbase", "--include=systemd,systemd-sysv,dbus,libpam-systemd,iproute2,procps,passwd"],
  /** Debian's essential packages: a shell, coreutils, find, grep, sed, awk, mount, id; no apt. About 100 MB. */
  small: [
    "--variant=essential",
    "--dpkgopt=path-exclude=/usr/lib/*/gconv/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--customize-hook=rm -rf \"$1/var/lib/apt/lists\" \"$1/var/cache/apt\"",
  ],
  /** 32-bit programs, for a 64-bit PC: Debian's essential packages, made by brig. */
  i386: ["--arch=i386", "--variant=essential"],
} as const;

export type RootKind = keyof typeof RECIPES;
