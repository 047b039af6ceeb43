#include "notify.h"
#include "socket.h"
#include "sys.h"

#define SOCK_DGRAM_ 2

/* $NOTIFY_SOCKET: a path, or "@" and an abstract name. */
static void tell_manager(const char *text) {
  const char *path = env_get("NOTIFY_SOCKET");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (!path || (*path != '/' && *path != '@')) return;
  size_t length = text_copy(address.sun_path, sizeof address.sun_path, path);
  if (*path == '@') address.sun_path[0] = 0;
  int fd = (int)sys(__NR_socket, AF_UNIX, SOCK_DGRAM_ | O_CLOEXEC | O_NONBLOCK, 0);
  if (fd < 0) return;
  sys(__NR_sendto, fd, text, strlen(text), MSG_NOSIGNAL, &address, offsetof(struct sockaddr_un, sun_path) + length);
  sys_close(fd);
}

static int has_line(const char *text, const char *line) {
  while (*text) {
    const char *end = text;
    while (*end && *end != '\n') end++;
    if ((size_t)(end - text) == strlen(line) && !memcmp(text, line, strlen(line))) return 1;
    text = *end ? end + 1 : end;
  }
  return 0;
}

void notify_read(struct run *run) {
  char text[4096];
  for (int i = 0; i < 16; i++) { /* a machine that never stops talking does not stop its supervisor */
    long size = sys(__NR_recvfrom, run->notify, text, sizeof text - 1, MSG_DONTWAIT, 0, 0);
    if (size == -EINTR) continue;
    if (size < 0) return;
    text[size] = 0;
    if (!has_line(text, "READY=1") || run->state_dir < 0) continue;
    int fd = sys_openat(run->state_dir, "ready", O_CREAT | O_WRONLY | O_NOFOLLOW, 0600);
    if (fd >= 0) sys_close(fd);
    tell_manager("READY=1");
  }
}
