/* The payload's own terminal. The caller's never reaches it, so nothing can be typed into the caller's (TIOCSTI). */
#include "run.h"
#include "sys.h"
#include <linux/socket.h>

#define TIOCSPTLCK 0x40045431
#define TIOCGPTPEER 0x5441
#define O_NOCTTY_ 0400

/* A descriptor over the sync socket, behind a record that announces it. */
static int send_descriptor(int socket, int fd) {
  struct { size_t length; int level, type, fd; } control = {sizeof control - 4, 1 /* SOL_SOCKET */, 1 /* SCM_RIGHTS */, fd};
  struct record record = {RECORD_PTY, 0};
  struct { void *base; size_t length; } part = {&record, sizeof record};
  struct { void *name; int name_length; void *parts; size_t part_count; void *control; size_t control_length; int flags; } message =
      {0, 0, &part, 1, &control, sizeof control, 0};
  return (int)sys(__NR_sendmsg, socket, &message, 0x4000 /* MSG_NOSIGNAL */);
}

int step_pty(struct run *run, const struct plan_step *step) {
  int host = (int)step->a[1];
  /* by openat2 in the new root; TIOCGPTPEER (Linux 4.13) opens the other side without a path that could be swapped */
  int master = must(run, host ? sys_openat(AT_FDCWD, "/dev/ptmx", O_RDWR | O_NOCTTY_, 0) : open_target(run, "/dev/pts/ptmx", O_RDWR | O_NOCTTY_), "open", "ptmx");
  if (master < 0) return -1;
  int unlocked = 0;
  if (must(run, sys_ioctl(master, TIOCSPTLCK, &unlocked), "ioctl TIOCSPTLCK", "ptmx") < 0) return -1;
  int side = must(run, sys_ioctl(master, TIOCGPTPEER, (void *)(long)(O_RDWR | O_NOCTTY_ | O_CLOEXEC)), "ioctl TIOCGPTPEER", "ptmx");
  if (side < 0) return -1;
  run->pty_side = side;
  run->pty_mask = step->a[0] & 7;
  if (run->step < run->plan->header->steps[PHASE_HOST]) {
    run->pty = master;
    return 0;
  }
  int sent = must(run, send_descriptor(run->sync, master), "sendmsg", "the terminal");
  sys_close(master);
  return sent < 0 ? -1 : 0;
}
