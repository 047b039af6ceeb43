/* Whether the kernel killed in a sandbox's cgroups for lack of memory: memory.events (v2), memory.oom_control (v1). */
#include "supervise.h"
#include "sys.h"

static uint64_t value_behind(const char *text, const char *key) {
  uint64_t value = 0;
  while (*text && !text_starts(text, key)) {
    while (*text && *text != '\n') text++;
    if (*text) text++;
  }
  for (text += *text ? strlen(key) : 0; *text >= '0' && *text <= '9'; text++) value = value * 10 + (uint64_t)(*text - '0');
  return value;
}

uint32_t was_oom_killed(const struct run *run) {
  for (int i = 0; i < run->oom_count; i++) {
    char text[1024];
    int fd = sys_openat(run->slots[run->oom_files[i].slot], plan_string(run->plan, run->oom_files[i].file), O_RDONLY, 0);
    if (fd < 0) continue;
    long size = read_up_to(fd, text, sizeof text - 1);
    sys_close(fd);
    text[size < 0 ? 0 : size] = 0;
    if (value_behind(text, "oom_kill ") > 0) return 1;
  }
  return 0;
}
