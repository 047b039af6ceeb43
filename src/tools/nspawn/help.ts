/** What `--version` says: programs look for systemd's number to know which options there are. */
export const nspawnVersion = "systemd 252 (brig nspawn understands the options of systemd-nspawn 252)";

/** The options in this program's own words. */
export const nspawnHelp = `brig nspawn [OPTIONS...] [PATH] [ARGUMENTS...]

Spawn a command or OS in a light-weight container.

  -h --help                 Show this help
     --version              Print version string
  -q --quiet                Say nothing about the machine's start and end
     --no-pager             Understood; there is no pager
     --settings=MODE        Read NAME.nspawn: yes, no, override, trusted

Image:
  -D --directory=PATH       The root: a folder
     --template=PATH        Copy this folder first, if the root is missing
  -x --ephemeral            Throw away at the end what was changed
  -i --image=PATH           The root: a raw or squashfs image, or a block device
     --read-only            The root cannot be written
     --volatile[=MODE]      yes: only /usr; state: /var is empty; overlay: changes are thrown away
     --pivot-root=PATH[:PATH]
                            The root is this folder of the tree

Execution:
  -a --as-pid2              Keep a small init as pid 1
  -b --boot                 Search for an init and boot
     --chdir=PATH           Working directory in the container
  -E --setenv=NAME[=VALUE]  Set a variable, or pass the caller's
  -u --user=USER            Who the command is, by the root's own /etc/passwd
     --kill-signal=SIGNAL   What asks pid 1 to end
     --notify-ready=BOOLEAN Understood: an init that says it is ready is always heard

System Identity:
  -M --machine=NAME         The machine's name
     --hostname=NAME        Its host name, if that is another
     --uuid=UUID            Its UUID

Properties:
  -S --slice=SLICE          --property=NAME=VALUE  --register=BOOLEAN  --keep-unit
                            Understood, and without a meaning where no systemd runs on the host

User Namespacing:
     --private-users=no     The machine's root is the host's root
     --private-users=pick   Ids of its own, chosen by its name (this is the default)
     --private-users=yes    Ids of its own: those that the root's owner begins
     --private-users=identity
                            The same numbers, in a user namespace
     --private-users=UIDBASE[:NUIDS]
                            These ids
     --private-users-ownership=MODE
                            How files get those owners: map (when mounted), chown (for good), off, auto
  -U                        As --private-users=pick --private-users-ownership=auto

Networking:
     --private-network      No network but loopback
     --network-interface=HOSTIF[:CONTAINERIF]
                            An interface of the host, which goes back at the end
     --network-macvlan=HOSTIF[:CONTAINERIF]
     --network-ipvlan=HOSTIF[:CONTAINERIF]
                            A new interface on one of the host's
  -n --network-veth         A link between host (ve-NAME) and container (host0)
     --network-veth-extra=HOSTIF[:CONTAINERIF]
                            One more
     --network-bridge=BRIDGE
                            A link to this bridge of the host
     --network-zone=NAME    A link to the bridge vz-NAME, which goes with its last link
     --network-namespace-path=PATH
                            Join this network namespace
  -p --port=[PROTOCOL:]HOSTPORT[:CONTAINERPORT]
                            A port of the host leads to one of the container

Security:
     --capability=CAP,...   Keep these too ("all")
     --drop-capability=CAP,...
                            Keep these not
     --ambient-capability=CAP,...
                            The command has these whoever it is
     --no-new-privileges=BOOLEAN
                            Nothing in the container gains rights by an exec
     --system-call-filter=LIST|~LIST
                            Allow, or with ~ refuse, calls and systemd's @groups

Resources:
     --rlimit=NAME=SOFT[:HARD]
     --oom-score-adjust=VALUE
     --cpu-affinity=CPUS
     --personality=ARCH     x86: a 32-bit machine

Integration:
     --resolv-conf=MODE     off, copy-, replace- or bind- with host, static, uplink or stub; delete; auto
     --timezone=MODE        off, symlink, bind, delete, auto
     --link-journal=MODE    no, host, guest, try-host, try-guest, auto
  -j                        As --link-journal=try-guest

Mounts:
     --bind=PATH[:PATH[:OPTIONS]]
     --bind-ro=PATH[:PATH[:OPTIONS]]
                            Show a path of the host; "+" in front: of the root, "-": if it is there
     --inaccessible=PATH    Hide it
     --tmpfs=PATH[:OPTIONS] An empty folder in memory
     --overlay=PATH[:PATH...]:PATH
     --overlay-ro=PATH[:PATH...]:PATH
                            Folders on top of each other
     --bind-user=NAME       A user of the host, with the home folder

Input/Output:
     --console=MODE         interactive, read-only, passive, pipe
  -P --pipe                 As --console=pipe

Credentials:
     --set-credential=ID:VALUE
     --load-credential=ID:PATH
                            Found in $CREDENTIALS_DIRECTORY

It exits with the command's status, 0 when the machine was powered off, 1 when it failed.
`;
