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
      --help        display this help and exit
      --version     output version information and exit

If no command is given, run '"$SHELL" -i' (default: '/bin/sh -i').

The options are those of chroot(1) of coreutils 9.1. A chroot is no wall: root
inside leaves it at will, and processes, network and devices are the host's.
--hardened makes it one.
`;
