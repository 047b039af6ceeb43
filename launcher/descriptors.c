#include "descriptors.h"
#include "sys.h"

static int move_away(int *fd, int above) {
  int moved = (int)sys_fcntl(*fd, F_DUPFD_CLOEXEC, above);
  if (moved < 0) return moved;
  sys_close(*fd);
  *fd = moved;
  return 0;
}

static int move_down(int *fd, int low) {
  if (*fd < 0) return sys_close(low), 0;
  int moved = sys_dup3(*fd, low, O_CLOEXEC);
  if (moved < 0) return moved;
  sys_close(*fd);
  *fd = low;
  return 0;
}

/* First out of each other's way: one may stand where another is to go. */
int keep_only(int *const *kept, int count, int lowest) {
  int result = 0;
  for (int i = 0; i < count && result >= 0; i++)
    if (*kept[i] >= 0 && *kept[i] < lowest + count) result = move_away(kept[i], lowest + count);
  for (int i = 0; i < count && result >= 0; i++) result = move_down(kept[i], lowest + i);
  return result < 0 ? result : (int)sys(__NR_close_range, lowest + count, ~0u, 0);
}
