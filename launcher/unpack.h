/*
 * OP_UNPACK: a layer's tar archive, read decompressed from descriptor 0, is written below "/", which is the layer's
 * folder and all that this process can reach. Whiteouts (image-spec, layer.md) become what overlayfs knows them as.
 *
 * On descriptor 1 goes one line: "done ENTRIES BYTES DEVICES ATTRIBUTES", the last two what was passed over; or
 * "bad ERRNO WHY\nPATH", the path as it stands in the archive up to the end of the stream, errno 0 for a bad archive.
 */
#ifndef BRIG_UNPACK_H
#define BRIG_UNPACK_H

/* OP_UNPACK's flags. */
enum {
  UNPACK_RECORD_OWNERS = 1 << 0, /* everything is this user's: owners stand in the attribute user.containers.override_stat */
  UNPACK_DEVICES = 1 << 1,       /* devices are made; otherwise they are counted and left out */
  UNPACK_TRUSTED = 1 << 2,       /* opaque folders get the attribute trusted.overlay.opaque too, which takes CAP_SYS_ADMIN */
  UNPACK_WIPE = 1 << 3,          /* nothing is read: everything below "/" is removed */
  UNPACK_PLAIN = 1 << 4,         /* no layer: names that begin with .wh. are names */
  UNPACK_HERE = 1 << 5,          /* below the working folder, not "/" */
};

#endif
