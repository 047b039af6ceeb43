/* Without a pid namespace of its own a sandbox may leave processes, which become their subreaper's. */
#include "signals.h"
#include "supervise.h"
#include "sys.h"

void kill_children(void) {
  char path[64] = "/proc/self/task/", text[16];
  text_append_number(path, sizeof path, (uint64_t)sys_getpid());
  text_append(path, sizeof path, "/children");
  for (int round = 0; round < 100000; round++) {
    int fd = sys_openat(AT_FDCWD, path, O_RDONLY, 0), pid = 0;
    long size = fd < 0 ? 0 : read_up_to(fd, text, sizeof text);
    if (fd >= 0) sys_close(fd);
    for (long i = 0; i < size && text[i] >= '0' && text[i] <= '9'; i++) pid = pid * 10 + text[i] - '0';
    if (!pid) return;
    sys_kill(pid, SIGKILL);
    sys(__NR_wait4, pid, 0, 0, 0);
  }
}
