/** What `brig chroot --help` prints. */
export const chrootHelp = `Usage: brig chroot [OPTION] NEWROOT [COMMAND [ARG]...]
  or:  brig chroot OPTION
Run COMMAND with root directory set to NEWROOT.

      --groups=G_LIST        specify supplementary groups as g1,g2,..,gN
      --userspec=USER:GROUP  specify user and group (ID or name) to use
      --skip-chdir           do not change working directory to '/'
      --hardened             the same root with every other wall of 'brig run'
      --x11[=host|xvfb|xephyr]
                             a display with a cookie of its own, instead of xhost +
      --proc                 mount a /proc (also --mount-proc)
      --tmpfs=PATH[:size=SIZE,mode=MODE]
                             an empty folder in memory, lost on exit
      --resolv-conf=HOW      the host's resolv.conf: copy (into the root),
                             bind (mount it over the root's) or off (default)
      --timezone=HOW         the host's time zone: copy, bind or off (default)
      --help        display this help and exit
      --version     output version information and exit

If no command is given, run '"$SHELL" -i' (default: '/bin/sh -i').

The first three options are those of chroot(1) of coreutils 9.1. What --proc,
--tmpfs and bind mount is seen by COMMAND alone and gone with it.

A chroot is no wall: root inside leaves it at will, and processes, network and
devices are the host's. --hardened makes it one.
`;
