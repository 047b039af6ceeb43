/* A file system in a file, or in a part of one: a loop device that goes with the last mount of it (loop(4)). */
#include "run.h"
#include "sys.h"
#include <linux/loop.h>
#include <linux/mount.h>

#define TRIES 64

/* Another process may take the device that is free between the two calls. */
static int attach_loop(struct run *run, int file, const struct plan_image *image, char *name, size_t room) {
  struct loop_config config = {.fd = (uint32_t)file, .info = {.lo_offset = image->offset, .lo_sizelimit = image->size,
                               .lo_flags = LO_FLAGS_AUTOCLEAR | (image->readonly ? LO_FLAGS_READ_ONLY : 0)}};
  int control = must(run, sys_openat(AT_FDCWD, "/dev/loop-control", O_RDWR, 0), "open", "/dev/loop-control");
  int device = -1;
  for (int i = 0; control >= 0 && device < 0 && i < TRIES; i++) {
    int number = must(run, sys_ioctl(control, LOOP_CTL_GET_FREE, 0), "ioctl LOOP_CTL_GET_FREE", "/dev/loop-control");
    if (number < 0) break;
    text_copy(name, room, "/dev/loop");
    text_append_number(name, room, (uint64_t)number);
    device = sys_openat(AT_FDCWD, name, image->readonly ? O_RDONLY : O_RDWR, 0);
    int configured = device < 0 ? device : (int)sys_ioctl(device, LOOP_CONFIGURE, &config);
    if (configured >= 0) break;
    if (device >= 0) sys_close(device);
    device = -1;
    if (configured != -EBUSY) {
      must(run, configured, "ioctl LOOP_CONFIGURE", name);
      break;
    }
  }
  if (control >= 0) sys_close(control);
  if (device < 0 && !run->failed) run_failed(run, "ioctl LOOP_CONFIGURE", EBUSY, name);
  return device;
}

static int mount_device(struct run *run, const char *type, const char *device, int readonly) {
  int fs = must(run, sys(__NR_fsopen, type, FSOPEN_CLOEXEC), "fsopen", type);
  if (fs < 0) return -1;
  int made = must(run, sys(__NR_fsconfig, fs, FSCONFIG_SET_STRING, "source", device, 0), "fsconfig", device);
  if (made >= 0 && readonly) made = must(run, sys(__NR_fsconfig, fs, FSCONFIG_SET_FLAG, "ro", 0, 0), "fsconfig", "ro");
  if (made >= 0) made = must(run, sys(__NR_fsconfig, fs, FSCONFIG_CMD_CREATE, 0, 0, 0), "fsconfig create", type);
  int mount = made < 0 ? -1 : must(run, sys(__NR_fsmount, fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NODEV | (readonly ? MOUNT_ATTR_RDONLY : 0)), "fsmount", type);
  sys_close(fs);
  return mount;
}

int step_image(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[1]), *type = run_text(run, step, step->a[2]);
  struct plan_image image;
  char device[32];
  if (step->a[4] != sizeof image) return run_failed(run, "image", EINVAL, path);
  memcpy(&image, run->plan->data + step->a[3], sizeof image);
  int file = must(run, sys_openat(AT_FDCWD, path, (image.readonly ? O_RDONLY : O_RDWR) | O_NONBLOCK | O_NOCTTY, 0), "open", path);
  if (file < 0) return -1;
  int loop = attach_loop(run, file, &image, device, sizeof device);
  int mount = loop < 0 ? -1 : mount_device(run, type, device, (int)image.readonly);
  if (loop >= 0) sys_close(loop);
  sys_close(file);
  return mount < 0 ? -1 : run_slot(run, step->a[0], mount);
}
