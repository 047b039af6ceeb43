/*
 * repeat: runs one command again and again and times it, from the spawn to the end that wait(2) tells.
 *
 *   repeat [--file3 FILE] COMMAND [ARGUMENT…]
 *
 * A line with a number N on standard input asks for N runs behind one that does not count; the answer is a line of
 * N times in microseconds. `%n` in an argument stands for a number that no run had before. --file3 opens FILE as
 * descriptor 3 of each run. The command's input and output are /dev/null. A run that ends with another status than 0
 * ends repeat with that status in words.
 *
 * posix_spawn(3) of the C library is clone(2) with CLONE_VM | CLONE_VFORK, so the size of the one that spawns
 * does not count.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST_RUNS 1000
#define MOST_WORDS 256

extern char **environ;

static posix_spawn_file_actions_t actions;
static char numbered[MOST_WORDS][4096], *words[MOST_WORDS + 1];

static void die(const char *what) {
  fprintf(stderr, "repeat: %s: %s\n", what, strerror(errno));
  exit(2);
}

static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

/* The command's words with %n filled in. */
static void number_words(char **command) {
  static unsigned long number;
  int at = 0;
  number++;
  for (; command[at] && at < MOST_WORDS; at++) {
    char *sign = strstr(command[at], "%n");
    words[at] = command[at];
    if (!sign) continue;
    snprintf(numbered[at], sizeof numbered[at], "%.*s%d-%lu%s", (int)(sign - command[at]), command[at], getpid(), number, sign + 2);
    words[at] = numbered[at];
  }
  words[at] = 0;
}

static double run_once(char **command) {
  pid_t pid;
  int status;
  number_words(command);
  double start = now_us();
  errno = posix_spawnp(&pid, words[0], &actions, 0, words, environ);
  if (errno) die(words[0]);
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) die("waitpid");
  double took = now_us() - start;
  if (status) {
    fprintf(stderr, "repeat: %s ended with %s %d\n", words[0], WIFSIGNALED(status) ? "signal" : "status",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    exit(1);
  }
  return took;
}

static void answer(char **command, int runs) {
  run_once(command);
  for (int i = 0; i < runs; i++) printf(i ? " %.1f" : "%.1f", run_once(command));
  putchar('\n');
  fflush(stdout);
}

int main(int argc, char **argv) {
  char **command = argv + 1, line[32];
  posix_spawn_file_actions_init(&actions);
  for (int fd = 0; fd < 3; fd++) posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
  if (argc > 3 && !strcmp(argv[1], "--file3")) {
    posix_spawn_file_actions_addopen(&actions, 3, argv[2], O_RDONLY, 0);
    command += 2;
  }
  if (!*command) {
    fprintf(stderr, "usage: repeat [--file3 FILE] COMMAND [ARGUMENT...]\n");
    return 2;
  }
  while (fgets(line, sizeof line, stdin)) {
    int runs = atoi(line);
    if (runs < 1 || runs > MOST_RUNS) { fprintf(stderr, "repeat: a number of runs from 1 to %d\n", MOST_RUNS); return 2; }
    answer(command, runs);
  }
  return 0;
}
