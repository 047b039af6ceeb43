/* How unpack.c finds its way: every path is looked up in the layer's folder, and nothing leads out of it. Failures end the process. */
#ifndef BRIG_UNPACK_PATHS_H
#define BRIG_UNPACK_PATHS_H

#include "tar.h"
#include <linux/stat.h>

extern int layer_fd;                     /* the layer's folder */
extern int parent_fd;                    /* the folder of the last entry, kept for the next */
extern char parent_path[TAR_PATH_MAX];   /* its path; "" is the layer's folder */
extern int marks_trusted;                /* opaque folders get the attribute for overlays of the host's root too */

void check(long result, const char *what);                    /* a negative one is told, and the end */
int open_inside(const char *where, uint64_t open_flags);      /* -errno */
void clean_path(char *to, const char *from);                  /* no "/" at its ends, no "." or ".."; "" is the layer's folder */
const char *open_parent_of(char *where);                      /* of a clean path: the name, in `parent_fd`; makes missing folders */
int stat_at(int folder, const char *name, struct statx *stat);
int is_whiteout(const struct statx *stat);
void make_opaque(int folder, const char *name);
void make_folder(int folder, const char *name, int mode);
void make_room(const char *name);                             /* removes what an entry in `parent_fd` replaces */

void wipe_layer(void);                                        /* unpack_wipe.c: removes everything in the layer's folder */

#endif
