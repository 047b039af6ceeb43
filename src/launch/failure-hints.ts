import type { OperationName } from "../plan/operations.js";
import { nameErrno } from "../error/errno.js";

/** Hints by operation and error; "*" stands for any. The first that fits counts. */
const HINTS: readonly [names: string, error: string, hint: string][] = [
  ["EXEC", "ENOENT", "it is not in the sandbox, or its interpreter or loader is not: see what is there with `brig run -- ls`"],
  ["EXEC", "ENOTDIR", "a part of its path is no folder"],
  ["EXEC", "EACCES", "it is not executable, or lies on a mount without exec: chmod +x, or bind it elsewhere"],
  ["EXEC", "ENOEXEC", "it is no program for this machine: a script needs a first line such as #!/bin/sh"],
  ["EXEC", "E2BIG", "its arguments and environment are too long together: pass them in a file"],
  ["EXEC", "ETXTBSY", "somebody is writing it"],
  ["EXEC", "EAGAIN", "the limit on processes is reached: raise --pids"],
  ["EXEC", "ELOOP", "its links go round in a loop: check it with namei -l"],
  ["EXEC", "EPERM", "a Landlock rule, a mount or no_new_privs forbids it"],
  ["BIND OPEN_TREE", "ENOENT", "the path must exist on the host before it can be shown to the sandbox"],
  ["BIND OPEN_TREE", "EACCES", "your own user cannot reach that path, so the sandbox cannot either"],
  ["BIND OPEN_TREE", "EINVAL", "mounts lie below it that the kernel does not let be uncovered: bind it recursively (rbind)"],
  ["BIND OPEN_TREE", "ELOOP", "the path is a symbolic link or a loop of them"],
  ["BIND MOUNT FS DIR FILE SYMLINK NODE CWD", "EROFS", "the place for it is on a read-only mount and does not exist there: choose a path outside of it"],
  ["BIND MOUNT FS DIR FILE SYMLINK NODE CWD", "EACCES", "the root is not yours to write: make the place for it on the host"],
  ["BIND MOUNT FS", "ENOTDIR", "one of source and destination is a folder and the other a file, or a part of the path is no folder"],
  ["FILE SYMLINK NODE", "EEXIST", "something is there already"],
  ["FS FS_MOUNT", "EPERM", "the kernel does not let this user namespace mount it: in a container the host's /proc and /sys must be whole"],
  ["FS FS_MOUNT", "ENODEV", "this kernel does not have that file system: modprobe it"],
  ["FS FS_MOUNT", "EINVAL", "the file system does not take one of its options"],
  ["IDMAP", "EINVAL", "that file system does not support mapped ids: leave out idmap"],
  ["IDMAP", "EPERM", "only root of the host may map the ids of a mount"],
  ["CWD", "ENOENT", "the working folder is not in the sandbox: choose one with --cwd"],
  ["CWD", "EACCES", "the sandbox's user cannot enter the working folder"],
  ["SETNS", "EPERM", "joining a namespace needs CAP_SYS_ADMIN in the user namespace that owns it"],
  ["OPEN", "ENOENT", "the process or the namespace is gone, or the path is wrong"],
  ["UNSHARE", "EPERM", "as an ordinary user a new user namespace must come with the others"],
  ["UNSHARE", "ENOSPC", "the host's limit on namespaces is reached: see sysctl user"],
  ["PROC_WRITE SELF_WRITE", "EPERM", "these ids are not yours to map: see /etc/subuid and /etc/subgid"],
  ["IDS", "EINVAL", "that id is not mapped in the sandbox's user namespace"],
  ["IDS", "EPERM", "becoming another user needs CAP_SETUID and CAP_SETGID"],
  ["RLIMIT", "EPERM", "a hard limit can only be raised with CAP_SYS_RESOURCE on the host: see ulimit -H -a"],
  ["OOM_SCORE", "EACCES", "lowering the OOM score needs CAP_SYS_RESOURCE on the host"],
  ["NICE SCHEDULER IO_PRIORITY", "EPERM", "that priority needs CAP_SYS_NICE on the host"],
  ["AFFINITY", "EINVAL", "none of these processors may be used here"],
  ["NAME", "EEXIST", "another sandbox has that name: choose another, or remove it with `brig rm`"],
  ["STATE", "EACCES", "the run folder is not yours: set XDG_RUNTIME_DIR"],
  ["CGROUP", "EACCES", "that cgroup is not yours to write: run as root, or have it delegated"],
  ["CGROUP_SET", "EINVAL", "the kernel does not take that value"],
  ["CGROUP_SET", "EBUSY", "more is in use already than the limit allows"],
  ["CAPABILITIES", "EPERM", "a capability that is not held cannot be given: run as root, or leave it out"],
  ["SECCOMP LANDLOCK", "EACCES", "without no_new_privs it needs CAP_SYS_ADMIN"],
  ["SECCOMP LANDLOCK", "EPERM", "without no_new_privs it needs CAP_SYS_ADMIN"],
  ["PTY", "ENOENT", "the sandbox has no /dev/pts: mount a devpts there, or say --tty never"],
  ["RUN RUN_INSIDE COMPANION", "ENOENT", "the program is missing on the host"],
  ["RUN RUN_INSIDE COMPANION", "ETIMEDOUT", "it took too long"],
  ["SYSCTL", "ENOENT", "this kernel has no such sysctl"],
  ["SYSCTL", "EACCES", "the sandbox's user namespace may not write it"],
  ["*", "ENOSYS", "this kernel is too old for brig: 5.12 is the least"],
  ["*", "EMFILE", "too many descriptors are open: raise `ulimit -n`"],
  ["*", "ENOMEM", "the host is out of memory, or of what a limit allows"],
];

/** Outside of any step: the clone itself. */
const CLONE_HINTS: Record<string, string> = {
  EPERM: "new namespaces need root, or unprivileged user namespaces: see `brig doctor`",
  ENOSPC: "the host's limit on namespaces is reached: see sysctl user.max_user_namespaces",
  EUSERS: "user namespaces are nested too deeply",
  EAGAIN: "the limit on processes is reached",
  EINVAL: "this kernel lacks one of the namespaces: see `brig doctor`",
};

export function findHint(name: OperationName | undefined, errno: number, operation: string): string | undefined {
  const error = nameErrno(errno);
  if (name === undefined && operation === "clone3") return CLONE_HINTS[error];
  return HINTS.find(([names, fits]) => fits === error && (names === "*" || (name !== undefined && names.split(" ").includes(name))))?.[2];
}
