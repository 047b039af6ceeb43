/*
 * OP_PACK: a file or a tree, as it is seen from inside, is written to descriptor 1 as a POSIX.1-2001 tar archive. No link
 * is followed below its start, sockets are left out, and of extended attributes there are file capabilities and "user.".
 *
 * What fails is told on descriptor 2, with exit status 3: "bad ERRNO WHY\nPATH", errno 0 where the tree is at fault.
 */
#ifndef BRIG_PACK_H
#define BRIG_PACK_H

/* OP_PACK's flags. */
enum {
  PACK_LAYER = 1 << 0,       /* the upper side of an overlay: its marks become whiteouts (image-spec, layer.md) */
  PACK_TAKE_OVER = 1 << 1,   /* everything is 0:0's, without set-id bits and capabilities */
  PACK_RECORDED = 1 << 2,    /* owners and modes stand in the attribute user.containers.override_stat */
  PACK_FOLLOW = 1 << 3,      /* a link at the start is followed */
  PACK_HEAD = 1 << 4,        /* only the first header, without data */
  PACK_NO_FOLDER = 1 << 5,   /* a folder at the start is an error, EISDIR */
};

#endif
