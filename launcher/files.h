/*
 * Files of a sandbox, served from inside of it (OP_FILE_SERVER): the process has joined the sandbox, has its identity
 * and its walls, and its "/" is the sandbox's, so that whatever a link says, nothing outside can be reached.
 *
 * Requests come on descriptor 0, each is answered on descriptor 1 with one reply, in order; both little-endian. A
 * request is struct file_request, then `size` bytes: `first` bytes of a path with its NUL, and `second` bytes more (a
 * second path with its NUL, or data). A reply is struct file_reply, then `size` bytes. `result` is what the kernel
 * returned: 0 or more, or -errno. A request that makes no sense is -EINVAL; one that is too large ends the server, as
 * the end of descriptor 0 does. Paths are absolute.
 *
 *     OPEN        a open(2) flags, b mode, path           result: a handle
 *     CLOSE       a handle
 *     READ        a handle, b offset (all bits: where it is), first: bytes wanted    data
 *     WRITE       a handle, b offset or all bits, data     result: bytes written
 *     STAT        a 1: do not follow a last link, path     struct statx
 *     STAT_HANDLE a handle                                 struct statx
 *     LIST        a handle                                 struct linux_dirent64…, nothing at the end
 *     MAKE_FOLDER a mode, path
 *     REMOVE      a AT_REMOVEDIR or 0, path
 *     RENAME      path, path
 *     LINK        path that a new one leads to, new path   (symlinkat)
 *     READ_LINK   path                                     text
 *     MODE        a mode, path
 *     TRUNCATE    a handle, b length
 *     TIMES       path, second: two struct __kernel_timespec
 *
 * Opening never waits (O_NONBLOCK), and READ and WRITE never do: a pipe or terminal that is not ready is -EAGAIN.
 */
#ifndef BRIG_FILES_H
#define BRIG_FILES_H

#include <stdint.h>

#define FILE_DATA_MAX 65536u
#define FILE_BODY_MAX (FILE_DATA_MAX + 4096u)
#define FILE_HANDLES_MAX 256

struct file_request { uint32_t size, id, op, a; uint64_t b; uint32_t first, second; };
struct file_reply { uint32_t size, id; int32_t result; uint32_t reserved; };

enum {
  FILE_OPEN = 1, FILE_CLOSE, FILE_READ, FILE_WRITE, FILE_STAT, FILE_STAT_HANDLE, FILE_LIST, FILE_MAKE_FOLDER, FILE_REMOVE,
  FILE_RENAME, FILE_LINK, FILE_READ_LINK, FILE_MODE, FILE_TRUNCATE, FILE_TIMES, FILE_OP_COUNT,
};

#endif
