/*
 * A parked sandbox is made before anybody knows what it will execute: all of its walls stand when it waits here. So this
 * calls nothing but what a program behind the same seccomp filter needs to start, and trusts nothing that it reads.
 */
#include "run.h"
#include "sys.h"
#include "zygote.h"

static int refuse(struct run *run, const char *why) { return run_failed(run, "arm", EPROTO, why); }

/* What is usual has room that is in memory before anybody waits for it. */
static union { struct zygote_arm arm; char bytes[ZYGOTE_DATA_MAX + 1]; } message;
static char *usual[256];

static char **make_room(size_t count) {
  if (count <= array_size(usual)) return usual;
  char **room = (char **)sys(__NR_mmap, 0, count * sizeof *room, 3 /* read, write */, 0x22 /* private, anonymous */, -1, 0);
  return (unsigned long)room > -4096ul ? 0 : room;
}

/* As many strings as `count` says, each behind the one before; 0 when there are not that many. */
static char **take_strings(char ***to, char **at, const char *end, uint32_t count) {
  char **vector = *to;
  for (uint32_t i = 0; i < count; i++) {
    if (*at == end) return 0;
    *(*to)++ = *at;
    *at += strlen(*at) + 1;
  }
  *(*to)++ = 0;
  return vector;
}

/* `words` ends in NUL, so every string in it does; each has a byte, so that there are no more of them than bytes. */
static int take_command(struct run *run, struct command *command, char *words, size_t size) {
  const uint32_t *counts = message.arm.counts;
  uint64_t count = (uint64_t)counts[0] + counts[1] + counts[2];
  char *at = words, *end = words + size, **to;
  if (!size || end[-1]) return refuse(run, "text that does not end");
  if (count > size) return refuse(run, "fewer words than it says");
  to = make_room(count + 3);
  if (!to) return run_failed(run, "mmap", ENOMEM, "arguments");
  command->candidates = take_strings(&to, &at, end, counts[0]);
  command->argv = command->candidates ? take_strings(&to, &at, end, counts[1]) : 0;
  command->env = command->argv ? take_strings(&to, &at, end, counts[2]) : 0;
  if (!command->env || at != end) return refuse(run, "another number of words than it says");
  return command->argv[0] ? 0 : refuse(run, "no words");
}

int park(struct run *run, struct command *command) {
  memset(&message, 0, sizeof message);
  memset(usual, 0, sizeof usual);
  long size;
  do size = sys_read(run->arm, &message, sizeof message);
  while (size == -EINTR);
  if (size == 0) sys_exit(125); /* nobody wants it any more */
  if (size < 0) return run_failed(run, "read", (int)size, "what to execute");
  if ((size_t)size < sizeof message.arm || (size_t)size == sizeof message) return refuse(run, "a message of the wrong size");
  return take_command(run, command, message.bytes + sizeof message.arm, (size_t)size - sizeof message.arm);
}
