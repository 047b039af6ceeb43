/* Writes an archive of what lies inside a sandbox: see pack.h. */
#include "pack.h"
#include "descriptors.h"
#include "run.h"
#include "sys.h"

#define BLOCK 512
#define PATH_MAX_ 4096
#define PAX_ROOM (1u << 20)
#define VALUE_ROOM 65536
#define DEPTH_MAX 900            /* a descriptor each */
#define LINKS_ROOM (64u << 20)
#define LINK_BUCKETS 65536
#define OWNERS "user.containers.override_stat"

static uint32_t flags;
static char path[PATH_MAX_];
static char out[65536];
static size_t out_used;
static char pax[PAX_ROOM];
static size_t pax_used;

static _Noreturn void fail(const char *why, long error) {
  static char line[256];
  text_copy(line, sizeof line, "bad ");
  text_append_number(line, sizeof line, (uint64_t)-error);
  text_append(line, sizeof line, " ");
  text_append(line, sizeof line, why);
  text_append(line, sizeof line, "\n");
  print(2, line);
  print(2, path);
  sys_exit(3);
}

static void flush(void) {
  long result = write_all(1, out, out_used);
  if (result < 0) fail("the archive cannot be written", result);
  out_used = 0;
}

static void put(const void *data, size_t size) {
  for (const char *from = data; size;) {
    size_t n = sizeof out - out_used < size ? sizeof out - out_used : size;
    memcpy(out + out_used, from, n);
    out_used += n;
    from += n;
    size -= n;
    if (out_used == sizeof out) flush();
  }
}

static void put_padding(uint64_t size) {
  static const char zeros[BLOCK];
  put(zeros, (BLOCK - size % BLOCK) % BLOCK);
}

/* --- headers ----------------------------------------------------------------------------------------------------- */

struct item {
  char type;
  uint32_t mode, uid, gid, major, minor;
  uint64_t size;
  int64_t mtime;
  const char *link;
};

/* `width` digits and a zero behind them; 0 where the number is too large. */
static int put_octal(char *to, int width, uint64_t value) {
  to[width] = 0;
  for (int i = width - 1; i >= 0; i--, value >>= 3) to[i] = (char)('0' + (value & 7));
  return !value;
}

/* "LENGTH NAME=VALUE\n", where LENGTH counts itself. */
static void add_pax(const char *prefix, const char *name, const void *value, size_t size) {
  size_t rest = strlen(prefix) + strlen(name) + size + 3, length = rest;
  char digits[24];
  for (size_t before = 0; before != length;) {
    before = length;
    digits[0] = 0;
    text_append_number(digits, sizeof digits, length);
    length = rest + strlen(digits);
  }
  if (pax_used + length + 1 > sizeof pax) fail("it has too many attributes", 0);
  char *to = pax + pax_used;
  size_t n = text_copy(to, sizeof pax - pax_used, digits);
  to[n++] = ' ';
  n += text_copy(to + n, sizeof pax - pax_used - n, prefix);
  n += text_copy(to + n, sizeof pax - pax_used - n, name);
  to[n++] = '=';
  memcpy(to + n, value, size);
  to[n + size] = '\n';
  pax_used += length;
}

static void add_pax_number(const char *name, uint64_t value) {
  char digits[24] = "";
  text_append_number(digits, sizeof digits, value);
  add_pax("", name, digits, strlen(digits));
}

static void put_header(const char *name, const struct item *item) {
  char header[BLOCK] = {0};
  uint32_t sum = 0;
  memcpy(header, name, strlen(name) < 100 ? strlen(name) : 100);
  put_octal(header + 100, 7, item->mode & 07777);
  put_octal(header + 108, 7, item->uid);
  put_octal(header + 116, 7, item->gid);
  put_octal(header + 124, 11, item->size);
  put_octal(header + 136, 11, item->mtime < 0 ? 0 : (uint64_t)item->mtime);
  header[156] = item->type;
  if (item->link) memcpy(header + 157, item->link, strlen(item->link) < 100 ? strlen(item->link) : 100);
  memcpy(header + 257, "ustar\0" "00", 8);
  put_octal(header + 329, 7, item->major);
  put_octal(header + 337, 7, item->minor);
  memset(header + 148, ' ', 8);
  for (size_t i = 0; i < BLOCK; i++) sum += (unsigned char)header[i];
  put_octal(header + 148, 6, sum);
  put(header, BLOCK);
}

static void put_entry(const char *name, const struct item *item) {
  char digits[16];
  if (strlen(name) > 100) add_pax("", "path", name, strlen(name));
  if (item->link && strlen(item->link) > 100) add_pax("", "linkpath", item->link, strlen(item->link));
  if (!put_octal(digits, 11, item->size)) add_pax_number("size", item->size);
  if (!put_octal(digits, 7, item->uid)) add_pax_number("uid", item->uid);
  if (!put_octal(digits, 7, item->gid)) add_pax_number("gid", item->gid);
  if (pax_used) {
    put_header("pax", &(struct item){.type = 'x', .mode = 0644, .size = pax_used});
    put(pax, pax_used);
    put_padding(pax_used);
    pax_used = 0;
  }
  put_header(name, item);
}

/* --- attributes -------------------------------------------------------------------------------------------------- */

static int is_wanted(const char *name) {
  if (text_equal(name, "security.capability")) return !(flags & PACK_TAKE_OVER);
  return text_starts(name, "user.") && !text_starts(name, "user.overlay.") && !text_equal(name, OWNERS);
}

/* A rename or a change of the mode alone, of which the upper side has only half. */
static void refuse_half(const char *name) {
  static const char *const half[] = {"trusted.overlay.redirect", "user.overlay.redirect", "trusted.overlay.metacopy", "user.overlay.metacopy"};
  for (size_t i = 0; i < array_size(half); i++)
    if (text_equal(name, half[i])) fail("the overlay has only half of it here", 0);
}

static void add_attributes(int fd) {
  static char names[VALUE_ROOM], value[VALUE_ROOM];
  long size = sys(__NR_flistxattr, fd, names, sizeof names);
  if (size == -EOPNOTSUPP) return;
  if (size < 0) fail("its attributes cannot be read", size);
  for (const char *name = names; name < names + size; name += strlen(name) + 1) {
    if (flags & PACK_LAYER) refuse_half(name);
    if (!is_wanted(name)) continue;
    long length = sys(__NR_fgetxattr, fd, name, value, sizeof value);
    if (length >= 0) add_pax("SCHILY.xattr.", name, value, (size_t)length);
  }
}

static int is_opaque(int fd) {
  char value[2];
  static const char *const names[] = {"user.overlay.opaque", "trusted.overlay.opaque"};
  for (size_t i = 0; i < array_size(names); i++)
    if (sys(__NR_fgetxattr, fd, names[i], value, sizeof value) == 1 && value[0] == 'y') return 1;
  return 0;
}

static const char *take_number(const char *from, uint32_t base, uint32_t *to) {
  uint64_t value = 0;
  for (; *from >= '0' && *from <= '9'; from++) value = value * base + (uint64_t)(*from - '0');
  *to = (uint32_t)value;
  return *from == ':' ? from + 1 : from;
}

/* "UID:GID:MODE", as the unpacker writes it. */
static void recall_owner(int fd, struct item *item) {
  char text[64];
  long size = flags & PACK_RECORDED ? sys(__NR_fgetxattr, fd, OWNERS, text, sizeof text - 1) : -1;
  if (size <= 0) return;
  text[size] = 0;
  uint32_t mode;
  take_number(take_number(take_number(text, 10, &item->uid), 10, &item->gid), 8, &mode);
  item->mode = mode & 07777;
}

static struct item describe(char type, const struct statx *is) {
  struct item item = {.type = type, .mode = is->stx_mode & 07777u, .uid = is->stx_uid, .gid = is->stx_gid, .mtime = is->stx_mtime.tv_sec};
  return item;
}

static void take_over(struct item *item) {
  if (!(flags & PACK_TAKE_OVER)) return;
  item->uid = item->gid = 0;
  item->mode &= 01777;
}

/* --- hard links -------------------------------------------------------------------------------------------------- */

struct known { struct known *next; uint64_t inode; uint32_t major, minor; char path[]; };
static struct known *buckets[LINK_BUCKETS];
static char *links;
static size_t links_used;

/* Where the same file is in the archive already; 0 where it is new, or there is no room to remember it. */
static const char *find_link(const struct statx *is) {
  struct known **bucket = &buckets[is->stx_ino % LINK_BUCKETS];
  for (struct known *each = *bucket; each; each = each->next)
    if (each->inode == is->stx_ino && each->major == is->stx_dev_major && each->minor == is->stx_dev_minor) return each->path;
  size_t size = (sizeof(struct known) + strlen(path) + 8) & ~(size_t)7;
  if (links_used + size > LINKS_ROOM) return 0;
  struct known *each = (struct known *)(links + links_used);
  links_used += size;
  *each = (struct known){*bucket, is->stx_ino, is->stx_dev_major, is->stx_dev_minor};
  memcpy(each->path, path, strlen(path) + 1);
  *bucket = each;
  return 0;
}

/* --- the tree ---------------------------------------------------------------------------------------------------- */

static void walk(int folder, int depth);

/* As many bytes as the header says, whatever becomes of the file. */
static void put_data(int fd, uint64_t size) {
  static char data[65536];
  for (uint64_t left = size; left;) {
    size_t most = left < sizeof data ? (size_t)left : sizeof data;
    long n = read_up_to(fd, data, most);
    if (n < 0) fail("it cannot be read", n);
    if (!n) memset(data, 0, most), n = (long)most;
    put(data, (size_t)n);
    left -= (uint64_t)n;
  }
  put_padding(size);
}

static void pack_file(int parent, const char *name, int follow) {
  struct statx is;
  int fd = sys_openat(parent, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | (follow ? 0 : O_NOFOLLOW), 0);
  if (fd == -ENOENT || fd == -ELOOP) return; /* gone in between, or another */
  if (fd < 0) fail("it cannot be opened", fd);
  long result = sys(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &is);
  if (result < 0) fail("it cannot be read", result);
  if ((is.stx_mode & S_IFMT) != S_IFREG) return (void)sys_close(fd);
  struct item item = describe('0', &is);
  recall_owner(fd, &item);
  take_over(&item);
  item.link = is.stx_nlink > 1 ? find_link(&is) : 0;
  if (item.link) item.type = '1';
  else item.size = is.stx_size;
  if (!item.link && !(flags & PACK_HEAD)) add_attributes(fd);
  put_entry(path, &item);
  if (!(flags & PACK_HEAD)) put_data(fd, item.size);
  sys_close(fd);
}

/* The start's own folder has no entry where its contents are wanted: then the path is empty. */
static void pack_folder(int parent, const char *name, int depth, int follow) {
  struct statx is;
  size_t length = strlen(path);
  int fd = sys_openat(parent, name, O_RDONLY | O_DIRECTORY | (follow ? 0 : O_NOFOLLOW), 0);
  if (fd == -ENOENT || fd == -ELOOP || fd == -ENOTDIR) return;
  if (fd < 0) fail("it cannot be opened", fd);
  long result = sys(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &is);
  if (result < 0) fail("it cannot be read", result);
  if (length || flags & PACK_HEAD) {
    struct item item = describe('5', &is);
    recall_owner(fd, &item);
    take_over(&item);
    if (!(flags & PACK_HEAD)) add_attributes(fd);
    if (length + 2 > sizeof path) fail("its path is too long", 0);
    if (length) memcpy(path + length, "/", 2);
    put_entry(length ? path : "./", &item);
  }
  if (!(flags & PACK_HEAD)) {
    if (flags & PACK_LAYER && is_opaque(fd)) {
      size_t at = strlen(path);
      text_append(path, sizeof path, ".wh..wh..opq");
      put_entry(path, &(struct item){.type = '0'});
      path[at] = 0;
    }
    walk(fd, depth + 1);
  }
  path[length] = 0;
  sys_close(fd);
}

static void pack_link(int parent, const char *name, const struct statx *is) {
  static char target[PATH_MAX_];
  long size = sys(__NR_readlinkat, parent, name, target, sizeof target - 1);
  if (size < 0) return;
  target[size] = 0;
  struct item item = describe('2', is);
  item.mode = 0777;
  item.link = target;
  take_over(&item);
  put_entry(path, &item);
}

static void pack_node(const struct statx *is) {
  uint32_t type = is->stx_mode & S_IFMT;
  if (type == S_IFSOCK) return;
  struct item item = describe(type == S_IFCHR ? '3' : type == S_IFBLK ? '4' : '6', is);
  item.major = is->stx_rdev_major;
  item.minor = is->stx_rdev_minor;
  take_over(&item);
  put_entry(path, &item);
}

/* `path` ends in the name. */
static void pack_whiteout(void) {
  char *name = path + strlen(path);
  while (name > path && name[-1] != '/') name--;
  size_t size = strlen(name) + 1;
  if ((size_t)(name - path) + size + 4 > sizeof path) fail("its path is too long", 0);
  memmove(name + 4, name, size);
  memcpy(name, ".wh.", 4);
  put_entry(path, &(struct item){.type = '0'});
}

static void pack(int parent, const char *name, int depth, int follow) {
  struct statx is;
  long result = sys(__NR_statx, parent, name, follow ? 0 : AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &is);
  if (result == -ENOENT && depth) return;
  if (result < 0) fail("it cannot be found", result);
  uint32_t type = is.stx_mode & S_IFMT;
  if (type == S_IFDIR && !depth && flags & PACK_NO_FOLDER) fail("it is a folder", -EISDIR);
  if (type == S_IFCHR && !is.stx_rdev_major && !is.stx_rdev_minor && flags & PACK_LAYER) return pack_whiteout();
  if (type == S_IFREG) return pack_file(parent, name, follow);
  if (type == S_IFDIR) return pack_folder(parent, name, depth, follow);
  if (type == S_IFLNK) return pack_link(parent, name, &is);
  pack_node(&is);
}

static void walk(int folder, int depth) {
  char names[4096];
  size_t length = strlen(path);
  if (depth > DEPTH_MAX) fail("it is too deep", 0);
  for (long size; (size = sys(__NR_getdents64, folder, names, sizeof names)) != 0;) {
    if (size < 0) fail("it cannot be read", size);
    for (char *p = names; p < names + size; p += *(uint16_t *)(p + 16)) {
      const char *name = p + 19;
      if (text_equal(name, ".") || text_equal(name, "..")) continue;
      if (length + strlen(name) + 1 > sizeof path) fail("a path in it is too long", 0);
      memcpy(path + length, name, strlen(name) + 1);
      pack(folder, name, depth, 0);
      path[length] = 0;
    }
  }
}

int step_pack(struct run *run, const struct plan_step *step) {
  static const char end[2 * BLOCK];
  flags = step->a[0];
  keep_only(0, 0, 3); /* the other sockets too: their closing says that the payload runs, as an exec would */
  links = (char *)sys(__NR_mmap, 0, LINKS_ROOM, 3 /* read, write */, 0x4022 /* private, anonymous, no reserve */, -1, 0);
  if ((unsigned long)links > -4096ul) fail("there is too little memory", -ENOMEM);
  text_copy(path, sizeof path, run_text(run, step, step->a[2]));
  pack(AT_FDCWD, run_text(run, step, step->a[1]), 0, !!(flags & PACK_FOLLOW));
  put(end, sizeof end);
  flush();
  sys_exit(0);
}
