/* Empties a layer's folder from inside of it: see unpack.h. */
#include "unpack_paths.h"
#include "sys.h"

/* Removes what can be removed at once. Opens a folder that is not empty, or is -1 when there is nothing left. */
static int wipe_level(int folder) {
  char names[4096];
  for (int found = 1; found;) {
    found = 0;
    check(sys(__NR_lseek, folder, 0, SEEK_SET), "a folder cannot be read");
    for (long size; (size = sys(__NR_getdents64, folder, names, sizeof names)) > 0;)
      for (char *p = names; p < names + size; p += *(uint16_t *)(p + 16)) {
        const char *name = p + 19;
        if (text_equal(name, ".") || text_equal(name, "..")) continue;
        long result = sys_unlinkat(folder, name, 0);
        if (result == -EISDIR || result == -EPERM) result = sys_unlinkat(folder, name, AT_REMOVEDIR);
        if (result == -ENOTEMPTY || result == -EEXIST) {
          int inner = sys_openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
          check(inner, "a folder cannot be opened");
          return inner;
        }
        check(result, "something cannot be removed");
        found = 1;
      }
  }
  return -1;
}

/* Trees deeper than there are descriptors: nobody else moves anything here, so ".." is the way back. */
void wipe_layer(void) {
  int folder = sys_openat(layer_fd, ".", O_RDONLY | O_DIRECTORY, 0);
  for (uint64_t depth = 0;;) {
    check(folder, "a folder cannot be opened");
    int next = wipe_level(folder);
    if (next < 0) {
      if (!depth--) return;
      next = sys_openat(folder, "..", O_RDONLY | O_DIRECTORY, 0);
    } else depth++;
    sys_close(folder);
    folder = next;
  }
}
