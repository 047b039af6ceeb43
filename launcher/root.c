/*
 * The root. A detached mount is attached somewhere in this process's own mount namespace and pivoted into: "/" is then
 * the new root, with the host's root stacked upon it, where it is reached only by the descriptor kept here. So there is
 * one pivot, no folder to put the old root in, and a host path is never hidden by the place of the new root.
 */
#include "run.h"
#include "sys.h"
#include <linux/mount.h>

/* Any folder serves as the place for the moment between attaching and pivoting. */
static int attach_somewhere(int tree) {
  static const char *places[] = {"/tmp", "/run", "/usr", "/proc", "/dev", "/etc"};
  int result = -ENOENT;
  for (size_t i = 0; i < array_size(places); i++) {
    result = (int)sys(__NR_move_mount, tree, "", AT_FDCWD, places[i], MOVE_MOUNT_F_EMPTY_PATH);
    if (result >= 0) break;
  }
  return result;
}

int step_root(struct run *run, const struct plan_step *step) {
  int tree = run->slots[step->a[0]];
  run->old_root = must(run, sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0), "open", "/");
  if (run->old_root < 0) return -1;
  if (must(run, attach_somewhere(tree), "move_mount", "the new root") < 0) return -1;
  if (must(run, sys(__NR_fchdir, tree), "fchdir", "the new root") < 0) return -1;
  if (must(run, sys(__NR_pivot_root, ".", "."), "pivot_root", "the new root") < 0) return -1;
  run->new_root = tree;
  forget_parent("");
  run->slots[step->a[0]] = -1;
  return 0;
}

int step_root_detach(struct run *run, const struct plan_step *step unused) {
  if (must(run, sys(__NR_fchdir, run->old_root), "fchdir", "the old root") < 0) return -1;
  if (must(run, sys(__NR_umount2, ".", 2 /* MNT_DETACH */), "umount2", "the old root") < 0) return -1;
  if (must(run, sys(__NR_fchdir, run->new_root), "fchdir", "/") < 0) return -1;
  sys_close(run->old_root);
  run->old_root = -1;
  return 0;
}

int step_chroot(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[0]);
  if (must(run, sys(__NR_chroot, path), "chroot", path) < 0) return -1;
  forget_parent("");
  return step->a[1] ? 0 : must(run, sys(__NR_chdir, "/"), "chdir", "/");
}

int step_fchdir(struct run *run, const struct plan_step *step) {
  return must(run, sys(__NR_fchdir, run->slots[step->a[0]]), "fchdir", "a folder opened before");
}

int step_cwd(struct run *run, const struct plan_step *step) {
  const char *path = run_text(run, step, step->a[0]);
  if (step->a[1]) {
    int made = must(run, make_target(run, path, 0), "mkdir", path);
    if (made < 0) return -1;
    sys_close(made);
  }
  /* by descriptor and without magic links: a working folder of "/proc/self/fd/7" must not lead out of the root */
  int folder = must(run, open_target(run, path, O_PATH | O_DIRECTORY), "chdir", path);
  if (folder < 0) return -1;
  int result = must(run, sys(__NR_fchdir, folder), "chdir", path);
  sys_close(folder);
  return result;
}
