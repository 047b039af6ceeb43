/* Mounts, by descriptors: open_tree, fsmount, mount_setattr and move_mount (mount_setattr: Linux 5.12). */
#include "run.h"
#include "sys.h"
#include <linux/mount.h>

static int set_attributes(int fd, uint64_t set, uint64_t clear, uint64_t propagation, int recursive) {
  struct mount_attr attr = {.attr_set = set, .attr_clr = clear, .propagation = propagation};
  /* the access-time modes are one field: changing it means clearing all of it */
  if (set & MOUNT_ATTR__ATIME) attr.attr_clr |= MOUNT_ATTR__ATIME;
  return (int)sys(__NR_mount_setattr, fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr, sizeof attr);
}

static int clone_tree(int fd, int recursive) {
  return (int)sys(__NR_open_tree, fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0));
}

static int attach(int tree, int target) {
  return (int)sys(__NR_move_mount, tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

int step_open_tree(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[1]);
  int source = must(run, open_source(run, path, (int)step->a[3]), "open", path);
  if (source < 0) return -1;
  int tree = must(run, clone_tree(source, (int)step->a[2]), "open_tree", path);
  sys_close(source);
  return tree < 0 ? -1 : run_slot(run, step->a[0], tree);
}

int step_mount_attr(struct run *run, const struct plan_step *step) {
  int fd = run->slots[step->a[0]];
  return must(run, set_attributes(fd, step->a[1], step->a[2], step->a[3], (int)step->a[4]), "mount_setattr", "");
}

int step_idmap(struct run *run, const struct plan_step *step) {
  char path[48] = "/proc/";
  text_append_number(path, sizeof path, (uint64_t)run->child);
  text_append(path, sizeof path, "/ns/user");
  int own = step->a[1] == SLOT_NONE;
  int users = own ? must(run, sys_openat(AT_FDCWD, path, O_RDONLY, 0), "open", path) : run->slots[step->a[1]];
  if (users < 0) return -1;
  struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)users};
  int result = must(run, sys(__NR_mount_setattr, run->slots[step->a[0]], "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr), "mount_setattr idmap", "");
  if (own) sys_close(users);
  return result;
}

/* A new file system as a detached mount: options are "key=value" or "key". */
static int make_fs(struct run *run, const struct plan_step *step, const char *type, uint32_t options, uint32_t attributes) {
  int fs = must(run, sys(__NR_fsopen, type, FSOPEN_CLOEXEC), "fsopen", type);
  if (fs < 0) return -1;
  uint32_t count = options ? plan_list_count(run->plan, options) : 0;
  for (uint32_t i = 0; i < count; i++) {
    const char *option = run_text(run, step, plan_u32(run->plan, options + 4 + 4 * i));
    char key[64];
    size_t length = 0;
    while (option[length] && option[length] != '=') length++;
    if (length >= sizeof key) return run_failed(run, "fsconfig", EINVAL, option);
    memcpy(key, option, length);
    key[length] = 0;
    const char *value = option[length] ? option + length + 1 : 0;
    int command = value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;
    if (must(run, sys(__NR_fsconfig, fs, command, key, value, 0), "fsconfig", option) < 0) return -1;
  }
  if (must(run, sys(__NR_fsconfig, fs, FSCONFIG_CMD_CREATE, 0, 0, 0), "fsconfig create", type) < 0) return -1;
  int mount = must(run, sys(__NR_fsmount, fs, FSMOUNT_CLOEXEC, attributes), "fsmount", type);
  sys_close(fs);
  return mount;
}

int step_fs_mount(struct run *run, const struct plan_step *step) {
  int mount = make_fs(run, step, run_text(run, step, step->a[1]), step->a[2], step->a[3]);
  return mount < 0 ? -1 : run_slot(run, step->a[0], mount);
}

/* Attaches a detached mount and lets go of its descriptor. */
static int attach_at(struct run *run, int tree, const char *path, int create) {
  int target = create == CREATE_NOTHING ? open_target(run, path, 0) : make_target(run, path, create == CREATE_FILE);
  const char *making = create == CREATE_NOTHING ? "open" : create == CREATE_FILE ? "create" : "mkdir";
  int result = must(run, target, making, path);
  /* the kernel's EINVAL would not say that one is a folder and the other a file */
  int folder = result < 0 || create == CREATE_NOTHING ? 0 : is_folder(target);
  if (folder != (create == CREATE_DIR) && result >= 0 && create != CREATE_NOTHING) result = must(run, folder ? -EISDIR : -ENOTDIR, making, path);
  if (result >= 0) result = must(run, attach(tree, target), "move_mount", path);
  forget_parent(path);
  if (target >= 0) sys_close(target);
  sys_close(tree);
  return result < 0 ? -1 : 0;
}

int step_mount(struct run *run, const struct plan_step *step) {
  int tree = run->slots[step->a[0]];
  run->slots[step->a[0]] = -1;
  const char *path = run_text(run, step, step->a[1]);
  int create = (int)step->a[2];
  if (create == CREATE_SAME) {
    int folder = must(run, is_folder(tree), "statx", path);
    if (folder < 0) return -1;
    create = folder ? CREATE_DIR : CREATE_FILE;
  }
  return attach_at(run, tree, path, create);
}

int step_fs(struct run *run, const struct plan_step *step) {
  int mount = make_fs(run, step, run_text(run, step, step->a[0]), step->a[2], step->a[3]);
  return mount < 0 ? -1 : attach_at(run, mount, run_text(run, step, step->a[1]), (int)step->a[4]);
}

int step_bind(struct run *run, const struct plan_step *step) {
  const char *source_path = run_text(run, step, step->a[0]), *target_path = run_text(run, step, step->a[1]);
  uint32_t set = step->a[2], clear = step->a[3], flags = step->a[4], propagation = step->a[5];
  int from_new = flags & BIND_FROM_NEW_ROOT;
  int source = from_new ? open_target(run, source_path, 0) : open_source(run, source_path, (flags & BIND_NOFOLLOW) != 0);
  if (source == -ENOENT && flags & BIND_MISSING_OK) return 0;
  if (must(run, source, "open", source_path) < 0) return -1;
  int folder = flags & BIND_CREATE ? must(run, is_folder(source), "statx", source_path) : 1;
  int tree = folder < 0 ? -1 : must(run, clone_tree(source, flags & BIND_RECURSIVE), "open_tree", source_path);
  sys_close(source);
  if (tree < 0) return -1;
  if ((set || clear || propagation) && must(run, set_attributes(tree, set, clear, propagation, flags & BIND_RECURSIVE), "mount_setattr", target_path) < 0)
    return -1;
  return attach_at(run, tree, target_path, !(flags & BIND_CREATE) ? CREATE_NOTHING : folder ? CREATE_DIR : CREATE_FILE);
}

int step_attr(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[0]);
  int fd = must(run, open_target(run, path, 0), "open", path);
  if (fd < 0) return -1;
  int result = must(run, set_attributes(fd, step->a[1], step->a[2], step->a[3], (int)step->a[4]), "mount_setattr", path);
  sys_close(fd);
  return result;
}

/* Hides what is at a path: nothing can be read, made or seen there. */
int step_mask(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[0]);
  int target = open_target(run, path, 0);
  if (target == -ENOENT || target == -ENOTDIR) return 0;
  int folder = must(run, target < 0 ? target : is_folder(target), "open", path);
  if (folder < 0) return -1;
  int cover;
  if (folder) cover = make_fs(run, step, "tmpfs", 0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  else {
    int null = must(run, open_source(run, "/dev/null", 1), "open", "/dev/null");
    cover = null < 0 ? -1 : must(run, clone_tree(null, 0), "open_tree", "/dev/null");
  }
  int result = cover < 0 ? -1 : must(run, attach(cover, target), "move_mount", path);
  forget_parent(path);
  sys_close(target);
  sys_close(cover);
  return result;
}

/*
 * A folder and a file that nobody may open, in a file system of their own. Both are shown at any number of places by
 * cloning, which Linux does with a detached mount from 6.15 on.
 */
static int make_closed(struct run *run, const struct plan_step *step) {
  int tree = make_fs(run, step, "tmpfs", 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  if (tree < 0 || must(run, sys(__NR_mkdirat, tree, "folder", 0), "mkdir", "a closed folder") < 0) return -1;
  int file = must(run, sys_openat(tree, "file", O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0), "create", "a closed file");
  if (file < 0) return -1;
  sys_close(file);
  return must(run, set_attributes(tree, MOUNT_ATTR_RDONLY, 0, 0, 0), "mount_setattr", "") < 0 ? -1 : tree;
}

/* Descriptors that a plan's steps leave open go with this process's exec. */
static int closed_tree(struct run *run, const struct plan_step *step) {
  static int made = -1;
  if (made < 0) made = make_closed(run, step);
  return made;
}

int step_deny(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[0]);
  int target = open_target(run, path, 0);
  if (target == -ENOENT || target == -ENOTDIR) return 0;
  int folder = must(run, target < 0 ? target : is_folder(target), "open", path);
  int tree = folder < 0 ? -1 : closed_tree(run, step);
  if (tree < 0) return -1;
  int cover = (int)sys(__NR_open_tree, tree, folder ? "folder" : "file", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  if (cover < 0) {
    sys_close(target);
    return step_mask(run, step); /* an older kernel: empty, if not closed */
  }
  int result = must(run, attach(cover, target), "move_mount", path);
  forget_parent(path);
  sys_close(target);
  sys_close(cover);
  return result;
}

int step_mount_host(struct run *run, const struct plan_step *step) {
  const char *target = run_text(run, step, step->a[1]);
  const char *source = step->a[0] ? run_text(run, step, step->a[0]) : 0, *type = step->a[2] ? run_text(run, step, step->a[2]) : 0;
  const char *data = step->a[4] ? run_text(run, step, step->a[4]) : 0;
  return must(run, sys(__NR_mount, source, target, type, step->a[3], data), "mount", target);
}

int step_umount_host(struct run *run, const struct plan_step *step) {
  const char *target = run_text(run, step, step->a[0]);
  return must(run, sys(__NR_umount2, target, step->a[1]), "umount2", target);
}

int step_propagation(struct run *run, const struct plan_step *step) {
  return must(run, sys(__NR_mount, "", "/", 0, step->a[0], 0), "mount propagation", "/");
}
