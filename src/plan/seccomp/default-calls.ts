/**
 * The calls of the default allow-list, by what they are for. It starts from what Docker's default profile allows to a
 * process without capabilities. Names of all architectures stand together; each takes those that it has.
 *
 * Not in it, and why:
 * - add_key, keyctl, request_key: keyrings are not in a namespace of their own.
 * - bpf, perf_event_open, userfaultfd, io_uring_*: most local exploits of the last years went through these; io_uring
 *   besides does file and socket operations that no filter sees.
 * - mount, umount2, pivot_root, open_tree, move_mount, fsopen …, mount_setattr, quotactl, swapon: the root's make-up.
 * - unshare, setns, and clone with CLONE_NEW*: inside a new user namespace a process has every capability, and with
 *   it the kernel code that only root reached before.
 * - init_module, kexec_load, reboot, iopl, ioperm, acct, settimeofday, clock_settime, syslog, vhangup: the host's own.
 * - open_by_handle_at: opens files of a file system beyond the root that is visible.
 * - mbind, set_mempolicy, move_pages, migrate_pages, kcmp, process_madvise, pidfd_getfd: reach into other processes or
 *   the host's memory layout, and programs go on without them.
 * - modify_ldt, vm86, uselib, ustat, sysfs, _sysctl, nfsservctl, lookup_dcookie: obsolete, and holes before.
 * - socketcall: hides the address family from the filter (32-bit x86); what of it can be told apart is allowed with
 *   the call of its own.
 * - clone3, socket, socketpair, ioctl, personality, clone: see default.ts, where their arguments count.
 */
export const DEFAULT_CALLS: Record<string, string> = {
  files:
    "access chdir chown chown32 copy_file_range dup dup2 dup3 faccessat faccessat2 fadvise64 fadvise64_64 fallocate" +
    " fchdir fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr file_getattr file_setattr flistxattr flock" +
    " fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futimesat getcwd" +
    " getdents getdents64 getxattr getxattrat lchown lchown32 lgetxattr link linkat listxattr listxattrat llistxattr" +
    " _llseek lremovexattr lseek lsetxattr lstat lstat64 mkdir mkdirat name_to_handle_at newfstatat readahead" +
    " readlink readlinkat removexattr removexattrat rename renameat renameat2 rmdir setxattr setxattrat stat stat64" +
    " statfs statfs64 statx symlink symlinkat sync sync_file_range sync_file_range2 syncfs truncate truncate64 umask" +
    " unlink unlinkat utime utimensat utimensat_time64 utimes arm_fadvise64_64 arm_sync_file_range cachestat",
  reading:
    "close close_range pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readv sendfile sendfile64 splice tee" +
    " vmsplice write writev io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit",
  waiting:
    "epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd" +
    " eventfd2 fanotify_mark inotify_add_watch inotify_init inotify_init1 inotify_rm_watch _newselect pause pipe" +
    " pipe2 poll ppoll ppoll_time64 pselect6 pselect6_time64 select signalfd signalfd4",
  memory:
    "brk get_thread_area madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall" +
    " mmap mmap2 mprotect mremap mseal msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect" +
    " remap_file_pages set_thread_area process_mrelease",
  processes:
    "arch_prctl capget capset execve execveat exit exit_group fork getegid getegid32 geteuid geteuid32 getgid" +
    " getgid32 getgroups getgroups32 getpgid getpgrp getpid getppid getpriority getresgid getresgid32 getresuid" +
    " getresuid32 getrlimit getrusage getsid gettid getuid getuid32 ioprio_get ioprio_set kill pidfd_open" +
    " pidfd_send_signal prctl prlimit64 setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups" +
    " setgroups32 setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid" +
    " setreuid32 setrlimit setsid set_tid_address setuid setuid32 tgkill times tkill ugetrlimit vfork wait4 waitid" +
    " waitpid",
  threads:
    "futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake get_robust_list rseq set_robust_list" +
    " getcpu sched_getaffinity sched_getattr sched_getparam sched_get_priority_max sched_get_priority_min" +
    " sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr" +
    " sched_setparam sched_setscheduler sched_yield",
  signals:
    "restart_syscall rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend" +
    " rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaction sigaltstack signal sigpending sigprocmask" +
    " sigreturn sigsuspend",
  time:
    "adjtimex alarm clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64" +
    " clock_nanosleep clock_nanosleep_time64 getitimer gettimeofday nanosleep setitimer time timer_create" +
    " timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create" +
    " timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64",
  messages:
    "ipc mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64" +
    " mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt" +
    " shmget",
  sockets:
    "accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg recvmmsg_time64" +
    " recvmsg send sendmmsg sendmsg sendto setsockopt shutdown",
  // What a program may learn of the system, and give up of its own.
  system:
    "getrandom landlock_add_rule landlock_create_ruleset landlock_restrict_self listmount lsm_get_self_attr" +
    " lsm_list_modules seccomp statmount sysinfo uname",
  // The kernel itself makes a traced program call these (uprobes), and answers everybody else with SIGILL.
  probes: "uretprobe uprobe",
  // ARM's private calls: thread pointer and instruction cache, without which no 32-bit program runs.
  arm: "breakpoint cacheflush set_tls get_tls",
};

/** What the mount calls and namespaces need of each other: opened together. */
const MOUNT_CALLS =
  "mount umount umount2 pivot_root fsconfig fsmount fsopen fspick mount_setattr move_mount open_tree open_tree_attr";
const NAMESPACE_CALLS = "clone clone3 setns unshare sethostname setdomainname listns";

/** For a payload that makes sandboxes of its own (a browser, bwrap, rootless containers): `nestedNamespaces`. */
export const NESTED_CALLS = `${NAMESPACE_CALLS} ${MOUNT_CALLS} chroot`;

/** What a kept capability opens: the calls that the kernel would answer with EPERM without it. */
export const CAPABILITY_CALLS: Record<string, string> = {
  CAP_BPF: "bpf",
  CAP_DAC_READ_SEARCH: "open_by_handle_at",
  CAP_PERFMON: "perf_event_open",
  CAP_SYS_ADMIN:
    `${NAMESPACE_CALLS} ${MOUNT_CALLS} bpf fanotify_init lookup_dcookie perf_event_open quotactl quotactl_fd` +
    " swapon swapoff syslog lsm_set_self_attr",
  CAP_SYS_BOOT: "reboot",
  CAP_SYS_CHROOT: "chroot",
  CAP_SYS_MODULE: "delete_module finit_module init_module",
  CAP_SYS_NICE: "get_mempolicy mbind set_mempolicy set_mempolicy_home_node move_pages migrate_pages",
  CAP_SYS_PACCT: "acct",
  CAP_SYS_PTRACE: "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace",
  CAP_SYS_RAWIO: "ioperm iopl",
  CAP_SYS_TIME: "clock_settime clock_settime64 settimeofday stime",
  CAP_SYS_TTY_CONFIG: "vhangup",
  CAP_SYSLOG: "syslog",
};
