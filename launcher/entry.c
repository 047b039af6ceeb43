/*
 * The launcher as the command `brig`: a fresh compiled plan of these words is run at once; else Node compiles one, or
 * does all of what was asked for, and leaves. Either way this process, which the caller started, runs the plan.
 */
#include "entry.h"
#include "caller.h"
#include "status.h"
#include "supervise.h"
#include "sys.h"

static struct plan plan; /* it outlives the functions that fill it */
static struct run run;

static int say(const char *what, const char *on, const char *problem) {
  print(STDERR, "brig: ");
  print(STDERR, what);
  print(STDERR, on);
  print(STDERR, problem);
  print(STDERR, "\n");
  return 125;
}

static int refuse_plan(const char *path, const char *on, const char *problem) {
  say(path, on, problem);
  print(STDERR, "  hint: brig plan --out FILE -- COMMAND writes one\n");
  return 125;
}

static int run_it(int status_fd) {
  run_init(&run, &plan);
  run.status_fd = status_fd;
  return run_plan(&run);
}

static int make_memory_file(void) { return (int)sys(__NR_memfd_create, "brig-plan", 1 /* MFD_CLOEXEC */); }

static long size_of(int fd) { return sys(__NR_lseek, fd, 0, 2 /* SEEK_END */); }

/* In place of a plan Node may name a socket to attach to: "#attach PATH\n". */
static int read_attach(int fd, char *path, size_t room) {
  static const char word[] = "#attach ";
  char text[sizeof word + 512];
  if (sys(__NR_lseek, fd, 0, SEEK_SET) < 0) return 0;
  long size = read_up_to(fd, text, sizeof text - 1);
  if (size <= (long)sizeof word || text[size - 1] != '\n') return 0;
  text[size - 1] = 0;
  return text_starts(text, word) && text_copy(path, room, text + sizeof word - 1) > 0;
}

/* Reads what Node wrote; nothing is an answer too: it did all of it itself. */
static const char *take_plan(int fd) {
  if (sys(__NR_lseek, fd, 0, SEEK_SET) < 0) return "unreadable";
  const char *problem = load_plan(&plan, fd);
  sys_close(fd);
  return problem;
}

static const char *last_part(const char *name) {
  const char *last = name;
  for (; *name; name++)
    if (*name == '/') last = name + 1;
  return last;
}

/*
 * The words by which a plan is kept. Called by a link's name, that is the first of them (src/cli/called-as.ts); Node is
 * told the words as they were typed, and looks at the name itself.
 */
static int find_kept(int argc, char **argv) {
  const char *refused = env_get("BRIG_NO_CACHE"), *name = argc > 0 ? last_part(argv[0]) : "";
  char *called = argv[0];
  if (refused && text_equal(refused, "1")) return 0;
  if (text_equal(name, "brig")) return argc > 1 && cache_find(&plan, argv + 1);
  if (!text_equal(name, "firejail")) return 0;
  argv[0] = "firejail";
  int found = cache_find(&plan, argv);
  argv[0] = called;
  return found;
}

int entry_main(int argc, char **argv) {
  caller_note();
  supervise_note_parent();
  if (find_kept(argc, argv)) return run_it(-1);
  int fd = make_memory_file();
  if (fd < 0) return say("no memory for a plan", "", "");
  int status = node_run(argv + (argc > 0), "BRIG_ENTRY_FD", fd, 0);
  if (status < 0) return 125;
  if (status || size_of(fd) <= 0) return exit_code(status);
  char socket[512];
  if (read_attach(fd, socket, sizeof socket)) return attach_main(socket);
  const char *problem = take_plan(fd);
  return problem ? say("the compiled plan is ", problem, "") : run_it(-1);
}

/* Node writes the plan to the descriptor or to the file itself, where it may. */
static int compile_again(const char *path) {
  char *words[] = {"plan", "--recompile", (char *)path, 0};
  int fd = make_memory_file();
  if (fd < 0) return say("no memory for a plan", "", "");
  say(path, " is stale: what it was compiled from has changed; it is compiled again", "");
  int status = node_run(words, "BRIG_ENTRY_FD", fd, 0);
  if (status) return status < 0 ? 125 : exit_code(status);
  if (size_of(fd) <= 0) {
    sys_close(fd);
    fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
    if (fd < 0) return say(path, " can't be opened", "");
  }
  const char *problem = take_plan(fd);
  return problem ? say(path, ": the plan is ", problem) : 0;
}

int plan_file_main(const char *path, int status_fd) {
  caller_note();
  supervise_note_parent();
  int fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
  if (fd < 0) return refuse_plan(path, fd == -ENOENT ? ": no such plan" : " can't be opened", "");
  const char *problem = load_plan(&plan, fd);
  sys_close(fd);
  if (problem) return refuse_plan(path, ": the plan is ", problem);
  int code = plan_is_fresh(&plan, 0) ? 0 : compile_again(path);
  return code ? code : run_it(status_fd);
}

/* --- failures ---------------------------------------------------------------------------------------------------- */

static void report_raw(const struct record_failed *failed) {
  char line[512] = "brig: ";
  text_append(line, sizeof line, failed->operation);
  text_append(line, sizeof line, " ");
  text_append(line, sizeof line, failed->argument);
  text_append(line, sizeof line, ": errno ");
  text_append_number(line, sizeof line, (uint64_t)failed->error);
  if (failed->step != SLOT_NONE) {
    text_append(line, sizeof line, " (step ");
    text_append_number(line, sizeof line, failed->step);
    text_append(line, sizeof line, ", operation ");
    text_append_number(line, sizeof line, failed->op);
    text_append(line, sizeof line, ")");
  }
  for (char *p = line; *p; p++)
    if ((unsigned char)*p < ' ' || *p == 127) *p = '?'; /* a name may hold what a terminal obeys */
  text_append(line, sizeof line, "\n");
  print(STDERR, line);
}

/* What execve(2) answers when a program can't be executed, in the C library's words. */
static const char *exec_answer(int error) {
  switch (error) {
    case ENOENT: return "No such file or directory";
    case EACCES: return "Permission denied";
    case ENOTDIR: return "Not a directory";
    case ENOEXEC: return "Exec format error";
    case ELOOP: return "Too many levels of symbolic links";
    case ETXTBSY: return "Text file busy";
    case E2BIG: return "Argument list too long";
    case ENOMEM: return "Cannot allocate memory";
    case EPERM: return "Operation not permitted";
    case EISDIR: return "Is a directory";
    case EINVAL: return "Invalid argument";
    case ENAMETOOLONG: return "File name too long";
    case ELIBBAD: return "Accessing a corrupted shared library";
    case EIO: return "Input/output error";
    default: return 0;
  }
}

/* A tool's own words for a program that can't be executed: where it stands there may be no Node to say it. */
static int report_exec(const struct run *failed) {
  const struct record_failed *failure = &failed->failure;
  if (failure->op != OP_EXEC || failure->step == SLOT_NONE) return 0;
  const char *saying = plan_string(failed->plan, failed->plan->steps[failure->step].a[3]), *answer = exec_answer(failure->error);
  if (!*saying || !answer) return 0;
  print(STDERR, saying);
  print(STDERR, ": ");
  print(STDERR, answer);
  print(STDERR, "\n");
  return 1;
}

void report_failure(struct run *failed) {
  char *words[] = {"__failure", 0};
  if (report_exec(failed)) return;
  int fd = make_memory_file();
  int told = fd < 0 ? fd : write_all(fd, &failed->failure, sizeof failed->failure);
  if (!told) told = write_all(fd, failed->plan->header, failed->plan->header->size);
  if (!told) told = (int)sys(__NR_lseek, fd, 0, SEEK_SET);
  if (told < 0 || node_run(words, "BRIG_FAILURE_FD", fd, 1) != 0) report_raw(&failed->failure);
}
