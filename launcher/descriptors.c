#include "descriptors.h"
#include "sys.h"

static void move_away(int *fd, int above) {
  int moved = (int)sys_fcntl(*fd, F_DUPFD_CLOEXEC, above);
  if (moved < 0) sys_exit(125);
  sys_close(*fd);
  *fd = moved;
}

static void move_down(int *fd, int low) {
  sys_close(low);
  if (*fd < 0) return;
  sys_dup3(*fd, low, O_CLOEXEC);
  sys_close(*fd);
  *fd = low;
}

/* First out of each other's way: one may stand where another is to go. */
void keep_only(int *const *kept, int count, int lowest) {
  for (int i = 0; i < count; i++)
    if (*kept[i] >= 0 && *kept[i] < lowest + count) move_away(kept[i], lowest + count);
  for (int i = 0; i < count; i++) move_down(kept[i], lowest + i);
  sys(__NR_close_range, lowest + count, ~0u, 0);
}
