/*
 * A tar archive as it comes from a descriptor: POSIX.1-1988 ustar, POSIX.1-2001 pax, and GNU's long names, large numbers
 * and sparse files (in all four forms). Nothing of it is believed: what is cut, contradicts itself or is larger than
 * the limits ends in tar_fail.
 */
#ifndef BRIG_TAR_H
#define BRIG_TAR_H

#include <stddef.h>
#include <stdint.h>

#define TAR_PATH_MAX 4096
#define TAR_XATTRS_MAX 64
#define TAR_SPANS_MAX 65536

struct tar_span { uint64_t offset, size; };   /* a piece of a sparse file that is there */
struct tar_xattr { const char *name, *value; size_t size; };

struct tar_entry {
  char type;                       /* '0' file, '1' hard link, '2' symbolic link, '3' and '4' devices, '5' folder, '6' pipe */
  char path[TAR_PATH_MAX], link[TAR_PATH_MAX];
  uint64_t size;                   /* bytes of data that follow, without the padding */
  uint64_t length;                 /* of the file: other than `size` where it is sparse */
  uint32_t mode, uid, gid, major, minor;
  int64_t mtime;
  uint32_t mtime_ns;
  uint32_t xattr_count, span_count;
  int sparse;
  struct tar_xattr xattrs[TAR_XATTRS_MAX];
};

extern struct tar_entry tar_entry;
extern struct tar_span tar_spans[TAR_SPANS_MAX];

int tar_next(void);                              /* the next entry: 1, or 0 at the end */
size_t tar_data(const char **data, uint64_t most); /* some of the entry's data, at most that much: what there is, never 0 */
void tar_skip(uint64_t size);
void tar_end_data(void);                         /* skips what is left of the entry's data, and the padding */
void tar_drain(void);                            /* reads what stands behind the archive's end */

/* unpack.c: tells why and ends the process; 0: the archive is bad, else errno */
_Noreturn void tar_fail(const char *why, int error);

#endif
