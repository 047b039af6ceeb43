/* Starting Node, and being the foreground process that waits for it. */
#include "entry.h"
#include "caller.h"
#include "signals.h"
#include "sys.h"
#include <linux/landlock.h>
#include <linux/prctl.h>
#include <linux/wait.h>

#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

/* The command's script stands beside the launcher. */
static int find_script(char *path, size_t room) {
  const char *named = env_get("BRIG_CLI");
  if (named && *named) return text_copy(path, room, named), 0;
  long size = sys(__NR_readlinkat, AT_FDCWD, "/proc/self/exe", path, room - 1);
  if (size < 0) return (int)size;
  while (size > 0 && path[size - 1] != '/') size--;
  path[size] = 0;
  text_append(path, room, "cli/main.cjs");
  return (int)sys(__NR_faccessat, AT_FDCWD, path, 4 /* R_OK */);
}

static int is_program(const char *path) { return sys(__NR_faccessat, AT_FDCWD, path, 1 /* X_OK */) >= 0; }

static int find_node(char *path, size_t room) {
  const char *named = env_get("BRIG_NODE"), *folders = env_get("PATH");
  if (named && *named) return text_copy(path, room, named), is_program(path) ? 0 : -ENOENT;
  for (const char *p = folders ? folders : DEFAULT_PATH; *p; p += *p == ':') {
    size_t size = 0;
    for (; *p && *p != ':'; p++)
      if (size + 1 < room) path[size++] = *p;
    path[size] = 0;
    if (*path != '/') continue; /* never out of the working folder */
    if (text_append(path, room, "/node") + 1 < room && is_program(path)) return 0;
  }
  return -ENOENT;
}

static char **make_pointers(size_t count) {
  long memory = sys(__NR_mmap, 0, count * sizeof(char *), 3 /* read, write */, 0x22 /* private, anonymous */, -1, 0);
  return (unsigned long)memory > -4096ul ? 0 : (char **)memory;
}

static char **make_argv(char *node, char *script, char *const *words) {
  size_t count = 0;
  while (words[count]) count++;
  char **argv = make_pointers(count + 3);
  if (!argv) return 0;
  argv[0] = node;
  argv[1] = script;
  memcpy(argv + 2, words, (count + 1) * sizeof *words);
  return argv;
}

static int is_own_variable(const char *entry) {
  return text_starts(entry, "BRIG_ENTRY_FD=") || text_starts(entry, "BRIG_FAILURE_FD=") || text_starts(entry, "BRIG_LANDLOCK_ABI=");
}

static char **make_environment(char *added, char *landlock) {
  size_t count = 0, kept = 0;
  while (launcher_env[count]) count++;
  char **env = make_pointers(count + 3);
  if (!env) return 0;
  for (size_t i = 0; i < count; i++)
    if (!is_own_variable(launcher_env[i])) env[kept++] = launcher_env[i];
  env[kept++] = added;
  env[kept] = landlock;
  return env;
}

/* Node cannot make this system call. */
static void tell_landlock(char *text, size_t room) {
  long abi = sys(__NR_landlock_create_ruleset, 0, 0, LANDLOCK_CREATE_RULESET_VERSION);
  text_append(text, room, "BRIG_LANDLOCK_ABI=");
  text_append_number(text, room, abi < 0 ? 0 : (uint64_t)abi);
}

static _Noreturn void become_node(char *const *words, const char *variable, int fd, char *node, char *script) {
  char added[64] = "", landlock[64] = "";
  tell_landlock(landlock, sizeof landlock);
  text_append(added, sizeof added, variable);
  text_append(added, sizeof added, "=");
  text_append_number(added, sizeof added, (uint64_t)fd);
  char **argv = make_argv(node, script, words), **env = make_environment(added, landlock);
  if (!argv || !env) sys_exit(125);
  sys_fcntl(fd, F_SETFD, 0);
  if (text_equal(variable, "BRIG_ENTRY_FD")) caller_share();
  sys_prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
  signals_release();
  sys(__NR_execve, node, argv, env);
  print(STDERR, "brig: ");
  print(STDERR, node);
  print(STDERR, " can't be executed\n");
  sys_exit(125);
}

/* It was stopped, so is this process; when that is continued, it is too. */
static void stop_along(int pid, int signal) {
  sys_kill(sys_getpid(), signal == SIGSTOP ? SIGSTOP : SIGTSTP);
  signals_let_through(SIGTSTP);
  signals_discard(SIGCONT);
  sys_kill(pid, SIGCONT);
}

/* What is typed goes to the whole group, Node included; what is sent to this process alone is passed on. */
static int wait_for(int pid) {
  struct signalfd_siginfo info;
  int32_t status;
  for (;;) {
    int signal = signals_wait(&info);
    if (signal != SIGCHLD) {
      if (info.ssi_code != SIGNAL_FROM_TERMINAL && signal != SIGPIPE) sys_kill(pid, signal);
      continue;
    }
    while ((int)sys(__NR_wait4, pid, &status, WNOHANG | WUNTRACED, 0) == pid) {
      if ((status & 0xff) != 0x7f) return status;
      stop_along(pid, status >> 8 & 0xff);
    }
  }
}

static int say_missing(const char *what, const char *hint, int quiet) {
  const char *words[] = {"brig: ", what, " is missing\n  hint: ", hint, "\n"};
  for (size_t i = 0; i < array_size(words) && !quiet; i++) print(STDERR, words[i]);
  return -ENOENT;
}

int node_run(char *const *words, const char *variable, int fd, int quiet) {
  char node[PATH_ROOM], script[PATH_ROOM];
  if (find_node(node, sizeof node) < 0) return say_missing("node", "apt-get install nodejs (version 20 or newer)", quiet);
  if (find_script(script, sizeof script) < 0) return say_missing(script, "npm run build, in brig's folder", quiet);
  signals_hold();
  int pid = sys_fork();
  if (!pid) become_node(words, variable, fd, node, script);
  return pid < 0 ? pid : wait_for(pid);
}
