/* Serves a sandbox's files from inside of it: see files.h. */
#include "files.h"
#include "descriptors.h"
#include "run.h"
#include "sys.h"
#include <linux/openat2.h>
#include <linux/prctl.h>

#define ANYWHERE (~0ull)

static int root_fd;
static int handles[FILE_HANDLES_MAX]; /* -1: free */
static struct file_request request;
static char body[FILE_BODY_MAX + 1];
static struct { struct file_reply head; char data[FILE_DATA_MAX]; } reply;

/* A link into /proc that is more than a name would lead to what some process holds open. */
static int open_inside(const char *path, uint64_t flags, uint64_t mode) {
  struct open_how how = {.flags = flags | O_CLOEXEC, .mode = mode, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
  int fd;
  do fd = (int)sys(__NR_openat2, root_fd, path, &how, sizeof how);
  while (fd == -EAGAIN || fd == -EINTR); /* a rename somewhere made the kernel unsure about ".." */
  return fd;
}

/* The folder of a path's last name, which is cut off; the name itself is for calls that follow no link. */
static int open_folder_of(char *path, const char **name) {
  size_t end = strlen(path);
  while (end > 1 && path[end - 1] == '/') path[--end] = 0;
  while (end && path[end - 1] != '/') end--;
  *name = path + end;
  if (!**name) return -EBUSY; /* the root itself */
  if (text_equal(*name, ".") || text_equal(*name, "..")) return -EINVAL;
  if (end == 1) return open_inside("/", O_PATH | O_DIRECTORY, 0);
  path[end - 1] = 0;
  return open_inside(path, O_PATH | O_DIRECTORY, 0);
}

/* "" is no path: ENOENT, as the kernel says. */
static char *first_path(void) { return request.first && !body[request.first - 1] && strlen(body) == request.first - 1 ? body : 0; }

static char *second_path(void) {
  char *path = body + request.first;
  return request.second && !path[request.second - 1] && strlen(path) == request.second - 1 ? path : 0;
}

static int handle_fd(void) { return request.a < FILE_HANDLES_MAX ? handles[request.a] : -1; }

static long serve_open(void) {
  const uint32_t allowed = O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC | O_APPEND | O_DIRECTORY | O_NOFOLLOW;
  if (!first_path() || request.a & ~allowed) return -EINVAL;
  uint32_t handle = 0;
  while (handle < FILE_HANDLES_MAX && handles[handle] >= 0) handle++;
  if (handle == FILE_HANDLES_MAX) return -EMFILE;
  int fd = open_inside(body, request.a | O_NONBLOCK | O_NOCTTY, request.a & O_CREAT ? request.b & 07777 : 0);
  if (fd >= 0) handles[handle] = fd;
  return fd < 0 ? fd : (long)handle;
}

static long serve_close(void) {
  int fd = handle_fd();
  if (fd < 0) return -EBADF;
  handles[request.a] = -1;
  return sys_close(fd);
}

static long with_data(long size) {
  if (size > 0) reply.head.size = (uint32_t)size;
  return size;
}

static long serve_read(void) {
  size_t wanted = request.first < FILE_DATA_MAX ? request.first : FILE_DATA_MAX;
  if (request.b == ANYWHERE) return with_data(sys_read(handle_fd(), reply.data, wanted));
  return with_data(sys(__NR_pread64, handle_fd(), reply.data, wanted, request.b));
}

static long serve_write(void) {
  const char *data = body + request.first;
  if (request.b == ANYWHERE) return sys_write(handle_fd(), data, request.second);
  return sys(__NR_pwrite64, handle_fd(), data, request.second, request.b);
}

static long stat_fd(int fd) {
  long result = sys(__NR_statx, fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, reply.data);
  return result < 0 ? result : (with_data(sizeof(struct statx)), 0);
}

static long serve_stat(void) {
  int fd = first_path() ? open_inside(body, O_PATH | (request.a ? O_NOFOLLOW : 0), 0) : -EINVAL;
  if (fd < 0) return fd;
  long result = stat_fd(fd);
  sys_close(fd);
  return result;
}

static long serve_mode(void) {
  int fd = first_path() ? open_inside(body, O_PATH, 0) : -EINVAL;
  if (fd < 0) return fd;
  long result = sys(452 /* fchmodat2, Linux 6.6 */, fd, "", request.a & 07777, AT_EMPTY_PATH);
  sys_close(fd);
  if (result != -ENOSYS) return result;
  fd = open_inside(body, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
  if (fd < 0) return fd;
  result = sys(__NR_fchmod, fd, request.a & 07777);
  sys_close(fd);
  return result;
}

static long serve_times(void) {
  struct __kernel_timespec times[2];
  if (!first_path() || request.second != sizeof times) return -EINVAL;
  memcpy(times, body + request.first, sizeof times);
  int fd = open_inside(body, O_PATH, 0);
  if (fd < 0) return fd;
  long result = sys(__NR_utimensat, fd, "", times, AT_EMPTY_PATH);
  sys_close(fd);
  return result;
}

/* What is done to a name in a folder; no link in its last place is followed. */
static long serve_name(void) {
  const char *name, *other_name, *link = body;
  char *path = request.op == FILE_LINK ? second_path() : first_path();
  if (!path || (request.op == FILE_LINK && !first_path())) return -EINVAL;
  int folder = open_folder_of(path, &name), other = -1;
  long result = folder;
  if (folder < 0) return folder;
  switch (request.op) {
    case FILE_MAKE_FOLDER: result = sys_mkdirat(folder, name, (int)(request.a & 07777)); break;
    case FILE_REMOVE: result = sys_unlinkat(folder, name, request.a ? AT_REMOVEDIR : 0); break;
    case FILE_LINK: result = sys(__NR_symlinkat, link, folder, name); break;
    case FILE_READ_LINK: result = with_data(sys(__NR_readlinkat, folder, name, reply.data, FILE_DATA_MAX)); break;
    case FILE_RENAME:
      other = second_path() ? open_folder_of(second_path(), &other_name) : -EINVAL;
      result = other < 0 ? other : sys(__NR_renameat2, folder, name, other, other_name, 0);
  }
  sys_close(folder);
  if (other >= 0) sys_close(other);
  return result;
}

/* The payload's filter refuses these bits, which on a folder of the host's would be a way to its rights. */
static int makes_setuid(void) {
  uint64_t mode = request.op == FILE_OPEN ? request.b : request.op == FILE_MODE || request.op == FILE_MAKE_FOLDER ? request.a : 0;
  return !!(mode & 06000);
}

static long serve(void) {
  if (makes_setuid()) return -EPERM;
  switch (request.op) {
    case FILE_OPEN: return serve_open();
    case FILE_CLOSE: return serve_close();
    case FILE_READ: return serve_read();
    case FILE_WRITE: return serve_write();
    case FILE_STAT: return serve_stat();
    case FILE_STAT_HANDLE: return stat_fd(handle_fd());
    case FILE_LIST: return with_data(sys(__NR_getdents64, handle_fd(), reply.data, FILE_DATA_MAX));
    case FILE_MODE: return serve_mode();
    case FILE_TRUNCATE: return sys(__NR_ftruncate, handle_fd(), request.b);
    case FILE_TIMES: return serve_times();
    case FILE_MAKE_FOLDER: case FILE_REMOVE: case FILE_RENAME: case FILE_LINK: case FILE_READ_LINK: return serve_name();
  }
  return -EINVAL;
}

/* READ says in `first` how much it wants, and brings nothing. */
static int take_request(void) {
  if (read_up_to(0, &request, sizeof request) != sizeof request) return 0;
  if (request.size > FILE_BODY_MAX || read_up_to(0, body, request.size) != (long)request.size) return 0;
  body[request.size] = 0;
  return request.op == FILE_READ ? !request.size : (uint64_t)request.first + request.second == request.size;
}

int step_file_server(struct run *run, const struct plan_step *step unused) {
  root_fd = must(run, sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0), "open", "/");
  if (root_fd < 0) return -1;
  sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  memset(handles, 0xff, sizeof handles);
  int *const kept[] = {&root_fd};
  keep_only(kept, array_size(kept), 3); /* the other sockets too: their closing says that the payload runs, as an exec would */
  while (take_request()) {
    memset(&reply.head, 0, sizeof reply.head);
    reply.head.id = request.id;
    reply.head.result = (int32_t)serve();
    if (write_all(1, &reply, sizeof reply.head + reply.head.size) < 0) break;
  }
  sys_exit(0);
}
