/** Whether a directive takes a value. */
export type Argument = "none" | "required" | "optional";

/** Words for each argument kind, in one string a kind: the whole language of firejail-profile(5), version 0.9.72. */
const WORDS: Record<Argument, string> = {
  none:
    "allow-debuggers allusers apparmor-replace apparmor-stack caps deterministic-exit-code deterministic-shutdown disable-mnt " +
    "ipc-namespace keep-config-pulse keep-dev-shm keep-var-tmp machine-id memory-deny-write-execute netlock no3d noautopulse " +
    "nodbus nodvd nogroups noinput nonewprivs noprinters noroot nosound notv nou2f novideo private-cache private-dev " +
    "private-tmp quiet seccomp.block-secondary tab tracelog writable-etc writable-run-user writable-var writable-var-log",
  optional: "apparmor netfilter private private-cwd private-lib restrict-namespaces seccomp seccomp.32 x11",
  required:
    "bind blacklist blacklist-nolog caps.drop caps.keep cpu dbus-system dbus-system.broadcast dbus-system.call dbus-system.own " +
    "dbus-system.see dbus-system.talk dbus-user dbus-user.broadcast dbus-user.call dbus-user.own dbus-user.see dbus-user.talk " +
    "defaultgw dns env hostname hosts-file ignore include interface ip ip6 iprange join-or-start keep-fd mac mkdir mkfile mtu " +
    "name net netfilter6 netmask netns nice noblacklist noexec nowhitelist oom private-bin private-etc private-home private-opt " +
    "private-srv protocol read-only read-write rlimit-as rlimit-cpu rlimit-fsize rlimit-nofile rlimit-nproc rlimit-sigpending " +
    "rmenv seccomp-error-action seccomp.32.drop seccomp.32.keep seccomp.drop seccomp.keep shell timeout tmpfs veth-name " +
    "whitelist whitelist-ro xephyr-screen",
};

export const directives: ReadonlyMap<string, Argument> = new Map(
  (Object.entries(WORDS) as [Argument, string][]).flatMap(([argument, words]) => words.split(" ").map((name): [string, Argument] => [name, argument])),
);

/** Why "NAME VALUE" is no line of the language, or undefined when it is one. */
export function findFault(name: string, value: string): string | undefined {
  const argument = directives.get(name);
  if (argument === undefined) return `there is no directive ${JSON.stringify(name)}`;
  if (argument === "none" && value !== "") return `${name} takes no value`;
  if (argument === "required" && value === "") return `${name} needs a value`;
  return undefined;
}
