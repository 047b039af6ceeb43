/* Writes a layer from inside of its folder: see unpack.h. */
#include "unpack.h"
#include "descriptors.h"
#include "run.h"
#include "sys.h"
#include "tar.h"
#include "unpack_paths.h"
#include <linux/openat2.h>

#define FOLDERS_ROOM (512u << 20)
#define WHITEOUT ".wh."
#define OPAQUE ".wh..wh..opq"
#define OWNERS "user.containers.override_stat"

static uint32_t flags;
static char path[TAR_PATH_MAX];
static uint64_t entries, bytes, most_entries, most_bytes, skipped_devices, skipped_attributes;

/* A folder gets its mode and time when nothing is written into it any more. */
struct folder { uint32_t size, mode; int64_t mtime; uint32_t mtime_ns; char path[]; };
static char *folders;
static size_t folders_used;

void tar_fail(const char *why, int error) {
  static char line[256];
  text_copy(line, sizeof line, "bad ");
  text_append_number(line, sizeof line, (uint64_t)error);
  text_append(line, sizeof line, " ");
  text_append(line, sizeof line, why);
  text_append(line, sizeof line, "\n");
  print(1, line);
  print(1, tar_entry.path);
  sys_exit(3);
}

static int is_ours(uint32_t uid, uint32_t gid) { return !uid && !gid; }

/* The bits that a file may have: set-id bits of owners that are only recorded would be this user's. */
static uint32_t mode_of(const struct tar_entry *entry) {
  uint32_t mode = entry->mode;
  if (flags & UNPACK_RECORD_OWNERS && entry->uid) mode &= ~04000u;
  if (flags & UNPACK_RECORD_OWNERS && entry->gid) mode &= ~02000u;
  return mode;
}

static void append_octal(char *to, size_t room, uint32_t value) {
  char digits[5] = {(char)('0' + (value >> 9 & 7)), (char)('0' + (value >> 6 & 7)), (char)('0' + (value >> 3 & 7)), (char)('0' + (value & 7)), 0};
  text_append(to, room, digits);
}

/* "UID:GID:MODE", as containers/storage and fuse-overlayfs have it. */
static void record_owner(int fd, const struct tar_entry *entry) {
  char text[64] = "";
  text_append_number(text, sizeof text, entry->uid);
  text_append(text, sizeof text, ":");
  text_append_number(text, sizeof text, entry->gid);
  text_append(text, sizeof text, ":");
  append_octal(text, sizeof text, entry->mode);
  if (sys(__NR_fsetxattr, fd, OWNERS, text, strlen(text), 0) < 0) skipped_attributes++;
}

/* What overlays and security modules of the host believe is not the image's to say. */
static int is_wanted(const char *name) {
  if (text_equal(name, "security.capability")) return 1;
  return text_starts(name, "user.") && !text_starts(name, "user.overlay.") && !text_equal(name, OWNERS);
}

static void set_xattrs(int fd, const struct tar_entry *entry) {
  for (uint32_t i = 0; i < entry->xattr_count; i++) {
    const struct tar_xattr *xattr = &entry->xattrs[i];
    if (!is_wanted(xattr->name)) { skipped_attributes++; continue; }
    long result = sys(__NR_fsetxattr, fd, xattr->name, xattr->value, xattr->size, 0);
    if (result == -EOPNOTSUPP || result == -EPERM) skipped_attributes++;
    else check(result, "an attribute cannot be set");
  }
}

static void set_owner(int fd, const struct tar_entry *entry, int inherits_group) {
  if (flags & UNPACK_RECORD_OWNERS) {
    if (!is_ours(entry->uid, entry->gid)) record_owner(fd, entry);
  } else if (inherits_group || !is_ours(entry->uid, entry->gid)) {
    long result = sys(__NR_fchownat, fd, "", entry->uid, entry->gid, AT_EMPTY_PATH);
    check(result, result == -EINVAL ? "an owner is beyond the ids that are mapped" : "an owner cannot be set");
  }
}

static void set_time_at(int folder, const char *name, int64_t seconds, uint32_t nanoseconds) {
  struct __kernel_timespec times[2] = {{seconds, nanoseconds}, {seconds, nanoseconds}};
  check(sys(__NR_utimensat, folder, name, times, name ? AT_SYMLINK_NOFOLLOW : 0), "a time cannot be set");
}

static void write_piece(int fd, uint64_t size) {
  for (const char *data; size;) {
    size_t n = tar_data(&data, size);
    check(write_all(fd, data, n), "a file cannot be written");
    size -= n;
  }
}

static void write_data(int fd, const struct tar_entry *entry) {
  if (!entry->sparse) return write_piece(fd, entry->size);
  for (uint32_t i = 0; i < entry->span_count; i++) {
    check(sys(__NR_lseek, fd, tar_spans[i].offset, SEEK_SET), "a file cannot be written");
    write_piece(fd, tar_spans[i].size);
  }
  check(sys(__NR_ftruncate, fd, entry->length), "a file cannot be written");
}

static void place_file(const struct tar_entry *entry, const char *name) {
  uint32_t mode = mode_of(entry);
  int fd = sys_openat(parent_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode & 0777);
  if (fd == -EEXIST) {
    make_room(name);
    fd = sys_openat(parent_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode & 0777);
  }
  check(fd, "a file cannot be made");
  write_data(fd, entry);
  set_owner(fd, entry, 0);
  if (mode & 07000) check(sys(__NR_fchmod, fd, mode), "a mode cannot be set");
  set_xattrs(fd, entry);
  set_time_at(fd, 0, entry->mtime, entry->mtime_ns);
  sys_close(fd);
}

static void place_hard_link(const struct tar_entry *entry, const char *name) {
  static char source[TAR_PATH_MAX];
  clean_path(source, entry->link);
  if (text_equal(source, path)) return;
  char *last = source + strlen(source);
  while (last > source && last[-1] != '/') last--;
  if (last > source) last[-1] = 0;
  int folder = open_inside(last > source ? source : ".", O_PATH | O_DIRECTORY);
  check(folder, "a hard link leads to what is not in the layer");
  struct statx there;
  check(stat_at(folder, last, &there), "a hard link leads to what is not in the layer");
  if ((there.stx_mode & S_IFMT) == S_IFDIR || is_whiteout(&there)) tar_fail("a hard link leads to what is no file", 0);
  long result = sys(__NR_linkat, folder, last, parent_fd, name, 0);
  if (result == -EEXIST) {
    make_room(name);
    result = sys(__NR_linkat, folder, last, parent_fd, name, 0);
  }
  check(result, "a hard link cannot be made");
  sys_close(folder);
}

/* Attributes of what has no data of its own: owner and time, without following anything. */
static void finish_special(const struct tar_entry *entry, const char *name) {
  if (!(flags & UNPACK_RECORD_OWNERS) && !is_ours(entry->uid, entry->gid)) {
    long result = sys(__NR_fchownat, parent_fd, name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW);
    check(result, result == -EINVAL ? "an owner is beyond the ids that are mapped" : "an owner cannot be set");
  }
  set_time_at(parent_fd, name, entry->mtime, entry->mtime_ns);
}

static void place_symlink(const struct tar_entry *entry, const char *name) {
  if (!*entry->link) tar_fail("a symbolic link leads nowhere", 0);
  long result = sys(__NR_symlinkat, entry->link, parent_fd, name);
  if (result == -EEXIST) {
    make_room(name);
    result = sys(__NR_symlinkat, entry->link, parent_fd, name);
  }
  check(result, "a symbolic link cannot be made");
  finish_special(entry, name);
}

static void place_node(const struct tar_entry *entry, const char *name) {
  uint32_t type = entry->type == '6' ? S_IFIFO : entry->type == '3' ? S_IFCHR : S_IFBLK;
  uint32_t device = (entry->minor & 0xff) | (entry->major & 0xfff) << 8 | (entry->minor & ~0xffu) << 12;
  if (type == S_IFCHR && !device) tar_fail("a device 0:0 is overlayfs's own mark", 0);
  make_room(name);
  if (type != S_IFIFO && !(flags & UNPACK_DEVICES)) { skipped_devices++; return; }
  check(sys(__NR_mknodat, parent_fd, name, type | (mode_of(entry) & 0777), device), "a device or pipe cannot be made");
  finish_special(entry, name);
}

static void note_folder(const struct tar_entry *entry) {
  size_t size = (sizeof(struct folder) + strlen(path) + 1 + 7) & ~(size_t)7;
  if (folders_used + size > FOLDERS_ROOM) tar_fail("there are too many folders", 0);
  struct folder *folder = (struct folder *)(folders + folders_used);
  *folder = (struct folder){(uint32_t)size, mode_of(entry), entry->mtime, entry->mtime_ns};
  memcpy(folder->path, path, strlen(path) + 1);
  folders_used += size;
}

static void place_folder(const struct tar_entry *entry, const char *name) {
  if (*path) make_folder(parent_fd, name, 0700);
  int fd = sys_openat(*path ? parent_fd : layer_fd, *path ? name : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
  check(fd, "a folder cannot be opened");
  set_owner(fd, entry, 1);
  set_xattrs(fd, entry);
  sys_close(fd);
  note_folder(entry);
}

static void finish_folders(void) {
  for (size_t at = 0; at < folders_used;) {
    const struct folder *folder = (const struct folder *)(folders + at);
    at += folder->size;
    struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    int fd = (int)sys(__NR_openat2, layer_fd, *folder->path ? folder->path : ".", &how, sizeof how);
    if (fd < 0) continue; /* another entry has replaced it */
    check(sys(__NR_fchmod, fd, folder->mode), "a mode cannot be set");
    set_time_at(fd, 0, folder->mtime, folder->mtime_ns);
    sys_close(fd);
  }
}

/* A removed name is a device 0:0, unless the same layer brings something of that name: then only what is below is hidden. */
static void place_whiteout(const char *name) {
  struct statx there;
  if (!*name || text_equal(name, ".") || text_equal(name, "..")) tar_fail("a whiteout has no name", 0);
  if (stat_at(parent_fd, name, &there) < 0) check(sys(__NR_mknodat, parent_fd, name, S_IFCHR, 0), "a whiteout cannot be made");
  else if ((there.stx_mode & S_IFMT) == S_IFDIR) make_opaque(parent_fd, name);
}

static int is_layer_mark(const char *name) {
  if (flags & UNPACK_PLAIN || !text_starts(name, WHITEOUT)) return 0;
  if (text_equal(name, OPAQUE)) {
    if (*parent_path) {
      int above = open_inside(parent_path, O_RDONLY | O_DIRECTORY);
      check(above, "a folder cannot be opened");
      make_opaque(above, ".");
      sys_close(above);
    } else make_opaque(layer_fd, ".");
  } else if (!text_starts(name, ".wh..wh.")) place_whiteout(name + sizeof WHITEOUT - 1); /* others are aufs's own */
  return 1;
}

static void place(const struct tar_entry *entry) {
  clean_path(path, entry->path);
  if (!*path && entry->type != '5') tar_fail("an entry takes the place of the layer's folder", 0);
  const char *name = *path ? open_parent_of(path) : "";
  if (*path && is_layer_mark(name)) return;
  switch (entry->type) {
    case '0': case '7': return place_file(entry, name);
    case '1': return place_hard_link(entry, name);
    case '2': return place_symlink(entry, name);
    case '3': case '4': case '6': return place_node(entry, name);
    case '5': return place_folder(entry, name);
    case 'V': return; /* the name of a tape */
  }
  tar_fail("an entry is of a kind that layers do not have", 0);
}

static void unpack(void) {
  folders = (char *)sys(__NR_mmap, 0, FOLDERS_ROOM, 3 /* read, write */, 0x4022 /* private, anonymous, no reserve */, -1, 0);
  if ((unsigned long)folders > -4096ul) tar_fail("there is too little memory", ENOMEM);
  while (tar_next()) {
    if (++entries > most_entries) tar_fail("it has more entries than a layer may have", 0);
    bytes += tar_entry.size;
    if (bytes > most_bytes) tar_fail("it is larger than a layer may be", 0);
    place(&tar_entry);
    tar_end_data();
  }
  tar_entry.path[0] = 0;
  finish_folders();
  tar_drain();
}

static void report(void) {
  char line[128] = "done ";
  const uint64_t numbers[] = {entries, bytes, skipped_devices, skipped_attributes};
  for (size_t i = 0; i < array_size(numbers); i++) {
    if (i) text_append(line, sizeof line, " ");
    text_append_number(line, sizeof line, numbers[i]);
  }
  text_append(line, sizeof line, "\n");
  print(1, line);
}

int step_unpack(struct run *run, const struct plan_step *step) {
  flags = step->a[0];
  const char *top = flags & UNPACK_HERE ? "." : "/";
  layer_fd = must(run, sys_openat(AT_FDCWD, top, O_RDONLY | O_DIRECTORY, 0), "open", top);
  if (layer_fd < 0) return -1;
  most_entries = (uint64_t)step->a[2] << 32 | step->a[1];
  most_bytes = (uint64_t)step->a[4] << 32 | step->a[3];
  int *const kept[] = {&layer_fd};
  keep_only(kept, array_size(kept), 3); /* the other sockets too: their closing says that the payload runs, as an exec would */
  sys(__NR_umask, 0);
  marks_trusted = !!(flags & UNPACK_TRUSTED);
  if (flags & UNPACK_WIPE) wipe_layer();
  else unpack();
  report();
  sys_exit(0);
}
