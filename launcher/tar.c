/* Reads a tar archive from descriptor 0: see tar.h. */
#include "tar.h"
#include "sys.h"

#define BLOCK 512
#define BUFFER (1u << 20)
#define PAX_MAX (1u << 20)
#define LENGTH_MAX (1ull << 44)

struct tar_entry tar_entry;
struct tar_span tar_spans[TAR_SPANS_MAX];

static char buffer[BUFFER], pax[PAX_MAX + 1], global_pax[PAX_MAX + 1];
static size_t at, end;
static uint64_t left, padding; /* of the entry's data */
static size_t global_size;

/* What pax headers say of the entry; bits say which of the numbers they do. */
enum { HAS_PATH = 1, HAS_LINK = 2, HAS_SIZE = 4, HAS_UID = 8, HAS_GID = 16, HAS_MTIME = 32, HAS_LENGTH = 64 };
static struct { unsigned has; uint64_t size, length; uint32_t uid, gid; int64_t mtime; uint32_t mtime_ns; unsigned major, minor; uint64_t span_offset; int sparse, half_span; } said;

/* At least `size` bytes in one piece, or fewer at the archive's end: how many there are. */
static size_t fill(size_t size) {
  if (end - at >= size) return end - at;
  if (at) memmove(buffer, buffer + at, end - at);
  end -= at;
  at = 0;
  while (end < size) {
    long n = sys_read(0, buffer + end, BUFFER - end);
    if (n == -EINTR) continue;
    if (n < 0) tar_fail("the archive cannot be read", (int)-n);
    if (!n) break;
    end += (size_t)n;
  }
  return end - at;
}

size_t tar_data(const char **data, uint64_t most) {
  if (!left) tar_fail("the archive's data is shorter than it says", 0);
  size_t size = fill(1);
  if (!size) tar_fail("the archive is cut", 0);
  if (size > left) size = (size_t)left;
  if (size > most) size = (size_t)most;
  *data = buffer + at;
  at += size;
  left -= size;
  return size;
}

void tar_skip(uint64_t size) {
  for (const char *data; size;) size -= tar_data(&data, size);
}

void tar_end_data(void) {
  tar_skip(left);
  /* the last padding may be missing: umoci's archives end with their last byte, and Go's readers take them */
  for (left = padding, padding = 0; left;) {
    size_t size = fill(1);
    if (!size) break;
    if (size > left) size = (size_t)left;
    at += size;
    left -= size;
  }
  left = 0;
}

void tar_drain(void) {
  for (at = end = 0; fill(1);) at = end = 0;
}

/* Octal digits, or a big-endian number of which the first bit is set (GNU). */
static int64_t number(const char *text, size_t size) {
  const unsigned char *p = (const unsigned char *)text;
  if (*p & 0x80) {
    uint64_t value = *p & 0x40 ? ~0ull << 6 | (*p & 0x3f) : *p & 0x3f;
    for (size_t i = 1; i < size; i++) {
      uint64_t top = value >> 55;
      if (top && top != 0x1ff) tar_fail("a number in a header is too large", 0);
      value = value << 8 | p[i];
    }
    return (int64_t)value;
  }
  uint64_t value = 0;
  size_t i = 0;
  while (i < size && p[i] == ' ') i++;
  for (; i < size && p[i] && p[i] != ' '; i++) {
    if (p[i] < '0' || p[i] > '7' || value >> 60) tar_fail("a header holds what is no number", 0);
    value = value << 3 | (uint64_t)(p[i] - '0');
  }
  return (int64_t)value;
}

static uint64_t count(const char *text, size_t size) {
  int64_t value = number(text, size);
  return value < 0 ? tar_fail("a header holds a negative size", 0), 0 : (uint64_t)value;
}

static uint32_t number32(int64_t value) {
  if (value < 0 || value > 0xfffffffe) tar_fail("a header holds an impossible id or device number", 0);
  return (uint32_t)value;
}

static void check_sum(const char *header) {
  int64_t told = 0, sum = 0, signed_sum = 0;
  for (const char *p = header + 148; p < header + 156 && *p; p++)
    if (*p >= '0' && *p <= '7') told = told << 3 | (*p - '0');
    else if (*p != ' ') told = 1 << 30;
  for (int i = 0; i < BLOCK; i++) {
    char c = i >= 148 && i < 156 ? ' ' : header[i];
    sum += (unsigned char)c;
    signed_sum += (signed char)c;
  }
  if (told != sum && told != signed_sum) tar_fail("it is no tar archive, or damaged: a header's checksum is wrong", 0);
}

static size_t field(char *to, size_t used, const char *from, size_t size) {
  for (size_t i = 0; i < size && from[i]; i++) {
    if (used + 1 >= TAR_PATH_MAX) tar_fail("a path is too long", ENAMETOOLONG);
    to[used++] = from[i];
  }
  to[used] = 0;
  return used;
}

/* All data of an entry that stands for the next one. */
static size_t read_whole(char *to, size_t room) {
  if (left > room) tar_fail("a header's attributes are too large", 0);
  size_t size = 0;
  for (const char *data; left;) {
    size_t n = tar_data(&data, left);
    memcpy(to + size, data, n);
    size += n;
  }
  tar_end_data();
  to[size] = 0;
  return size;
}

static uint64_t decimal(const char **p, const char *stop) {
  uint64_t value = 0;
  const char *first = *p;
  for (; *p < stop && **p >= '0' && **p <= '9'; (*p)++) {
    if (value > (UINT64_MAX >> 1) / 10) tar_fail("a number in a header is too large", 0);
    value = value * 10 + (uint64_t)(**p - '0');
  }
  if (*p == first) tar_fail("a header holds what is no number", 0);
  return value;
}

static uint64_t whole_decimal(const char *value, size_t size) {
  const char *p = value, *stop = value + size;
  uint64_t result = decimal(&p, stop);
  if (p != stop) tar_fail("a header holds what is no number", 0);
  return result;
}

static void take_time(const char *value, size_t size) {
  const char *p = value, *stop = value + size;
  int negative = p < stop && *p == '-';
  if (negative) p++;
  int64_t seconds = (int64_t)decimal(&p, stop);
  uint32_t nanoseconds = 0, unit = 100000000;
  if (p < stop && *p == '.')
    for (p++; p < stop && *p >= '0' && *p <= '9'; p++, unit /= 10) nanoseconds += unit * (uint32_t)(*p - '0');
  if (negative) seconds = -seconds - (nanoseconds ? 1 : 0), nanoseconds = nanoseconds ? 1000000000 - nanoseconds : 0;
  said.mtime = seconds;
  said.mtime_ns = nanoseconds;
  said.has |= HAS_MTIME;
}

static void add_span(uint64_t offset, uint64_t size) {
  if (tar_entry.span_count == TAR_SPANS_MAX) tar_fail("a sparse file is in too many pieces", 0);
  tar_spans[tar_entry.span_count++] = (struct tar_span){offset, size};
}

/* "offset,size,offset,size…" (GNU.sparse.map, form 0.1). */
static void take_map(const char *value, size_t size) {
  const char *p = value, *stop = value + size;
  tar_entry.span_count = 0;
  while (p < stop) {
    uint64_t offset = decimal(&p, stop);
    if (p == stop || *p++ != ',') tar_fail("a sparse file's map makes no sense", 0);
    add_span(offset, decimal(&p, stop));
    if (p < stop && *p++ != ',') tar_fail("a sparse file's map makes no sense", 0);
  }
}

static void take_xattr(const char *name, const char *value, size_t size) {
  for (uint32_t i = 0; i < tar_entry.xattr_count; i++)
    if (text_equal(tar_entry.xattrs[i].name, name)) {
      tar_entry.xattrs[i] = (struct tar_xattr){name, value, size};
      return;
    }
  if (tar_entry.xattr_count == TAR_XATTRS_MAX) tar_fail("an entry has too many attributes", 0);
  tar_entry.xattrs[tar_entry.xattr_count++] = (struct tar_xattr){name, value, size};
}

static void take_path(char *to, const char *value, size_t size, unsigned bit) {
  if (strlen(value) != size) tar_fail("a path holds a zero byte", 0);
  field(to, 0, value, size);
  said.has |= bit;
}

static void take_sparse(const char *key, const char *value, size_t size) {
  said.sparse = 1;
  if (text_equal(key, "name")) take_path(tar_entry.path, value, size, HAS_PATH);
  else if (text_equal(key, "realsize") || text_equal(key, "size")) said.length = whole_decimal(value, size), said.has |= HAS_LENGTH;
  else if (text_equal(key, "major")) said.major = (unsigned)whole_decimal(value, size);
  else if (text_equal(key, "minor")) said.minor = (unsigned)whole_decimal(value, size);
  else if (text_equal(key, "map")) take_map(value, size);
  else if (text_equal(key, "offset")) said.span_offset = whole_decimal(value, size), said.half_span = 1;
  else if (text_equal(key, "numbytes")) {
    if (!said.half_span) tar_fail("a sparse file's map makes no sense", 0);
    said.half_span = 0;
    add_span(said.span_offset, whole_decimal(value, size));
  }
}

/* The path that the real name has, GNU.sparse.name, stands before "path", which then is a made-up one. */
static void take_record(const char *key, char *value, size_t size) {
  if (text_starts(key, "GNU.sparse.")) take_sparse(key + 11, value, size);
  else if (text_equal(key, "path")) { if (!(said.sparse && said.has & HAS_PATH)) take_path(tar_entry.path, value, size, HAS_PATH); }
  else if (text_equal(key, "linkpath")) take_path(tar_entry.link, value, size, HAS_LINK);
  else if (text_equal(key, "size")) said.size = whole_decimal(value, size), said.has |= HAS_SIZE;
  else if (text_equal(key, "uid")) said.uid = number32((int64_t)whole_decimal(value, size)), said.has |= HAS_UID;
  else if (text_equal(key, "gid")) said.gid = number32((int64_t)whole_decimal(value, size)), said.has |= HAS_GID;
  else if (text_equal(key, "mtime")) take_time(value, size);
  else if (text_starts(key, "SCHILY.xattr.")) take_xattr(key + 13, value, size);
}

/* "LENGTH KEY=VALUE\n" again and again. Keys and values are ended by zeros; those of a global header, which is read again, for a moment. */
static void take_pax(char *text, size_t size, int global) {
  for (size_t from = 0; from < size;) {
    const char *p = text + from;
    uint64_t length = decimal(&p, text + size);
    char *stop = text + from + length, *key = (char *)p + 1;
    if (p == text + size || *p != ' ' || length > size - from || key >= stop || stop[-1] != '\n') tar_fail("an extended header makes no sense", 0);
    char *value = key;
    while (value < stop && *value && *value != '=') value++;
    if (value == stop || *value != '=') tar_fail("an extended header makes no sense", 0);
    *value++ = 0;
    stop[-1] = 0;
    /* an empty value takes back what a global header said; attributes for all files are nothing that anybody writes */
    int is_xattr = text_starts(key, "SCHILY.xattr.");
    if (is_xattr ? !global : value < stop - 1) take_record(key, value, (size_t)(stop - 1 - value));
    if (global) value[-1] = '=', stop[-1] = '\n';
    from += (size_t)length;
  }
}

/* GNU's old form: four pieces in the header, and more in blocks behind it. */
static void take_old_sparse(const char *header) {
  said.sparse = 1;
  said.length = count(header + 483, 12);
  said.has |= HAS_LENGTH;
  int more = header[482];
  for (int i = 0; i < 4 && header[386 + i * 24]; i++) add_span(count(header + 386 + i * 24, 12), count(header + 398 + i * 24, 12));
  while (more) {
    if (fill(BLOCK) < BLOCK) tar_fail("the archive is cut", 0);
    const char *block = buffer + at;
    for (int i = 0; i < 21 && block[i * 24]; i++) add_span(count(block + i * 24, 12), count(block + i * 24 + 12, 12));
    more = block[504];
    at += BLOCK;
  }
}

/* Form 1.0: the map is the first blocks of the data, decimal numbers each with a newline. */
static uint64_t map_number(uint64_t *used) {
  uint64_t value = 0;
  for (const char *data;;) {
    tar_data(&data, 1);
    ++*used;
    if (*data == '\n') return value;
    if (*data < '0' || *data > '9' || value > (UINT64_MAX >> 1) / 10) tar_fail("a sparse file's map makes no sense", 0);
    value = value * 10 + (uint64_t)(*data - '0');
  }
}

static void take_map_in_data(void) {
  uint64_t used = 0, pieces = map_number(&used);
  if (pieces > TAR_SPANS_MAX) tar_fail("a sparse file is in too many pieces", 0);
  tar_entry.span_count = 0;
  while (pieces--) {
    uint64_t offset = map_number(&used);
    add_span(offset, map_number(&used));
  }
  uint64_t rest = (BLOCK - used % BLOCK) % BLOCK;
  tar_skip(rest);
  tar_entry.size -= used + rest;
}

static void check_spans(void) {
  uint64_t last = 0, sum = 0;
  for (uint32_t i = 0; i < tar_entry.span_count; i++) {
    struct tar_span span = tar_spans[i];
    if (span.offset < last || span.size > tar_entry.length || span.offset > tar_entry.length - span.size) tar_fail("a sparse file's map makes no sense", 0);
    last = span.offset + span.size;
    sum += span.size;
  }
  if (sum != tar_entry.size) tar_fail("a sparse file's map makes no sense", 0);
}

static int is_zero(const char *block) {
  int i = 0;
  while (i < BLOCK && !block[i]) i++;
  return i == BLOCK;
}

static void read_names(const char *header) {
  struct tar_entry *entry = &tar_entry;
  int ustar = !memcmp(header + 257, "ustar\0", 6);
  if (!(said.has & HAS_PATH)) {
    size_t used = ustar && header[345] ? field(entry->path, 0, header + 345, 155) : 0;
    if (used) used = field(entry->path, used, "/", 1);
    field(entry->path, used, header, 100);
  }
  if (!(said.has & HAS_LINK)) field(entry->link, 0, header + 157, 100);
}

static void read_header(const char *header) {
  struct tar_entry *entry = &tar_entry;
  int has_device = header[156] == '3' || header[156] == '4';
  read_names(header);
  entry->type = header[156] ? header[156] : '0';
  entry->mode = (uint32_t)number(header + 100, 8) & 07777;
  entry->uid = said.has & HAS_UID ? said.uid : number32(number(header + 108, 8));
  entry->gid = said.has & HAS_GID ? said.gid : number32(number(header + 116, 8));
  entry->mtime = said.has & HAS_MTIME ? said.mtime : number(header + 136, 12);
  entry->mtime_ns = said.has & HAS_MTIME ? said.mtime_ns : 0;
  entry->major = has_device ? number32(number(header + 329, 8)) : 0;
  entry->minor = has_device ? number32(number(header + 337, 8)) : 0;
  size_t length = strlen(entry->path); /* before POSIX, a folder was a file whose name ends in "/" */
  if (entry->type == '0' && length && entry->path[length - 1] == '/') entry->type = '5';
}

static void begin_data(uint64_t size) {
  if (size > LENGTH_MAX) tar_fail("an entry is too large", EFBIG);
  left = size;
  padding = (BLOCK - size % BLOCK) % BLOCK;
}

static void finish_entry(const char *header) {
  struct tar_entry *entry = &tar_entry;
  uint64_t size = said.has & HAS_SIZE ? said.size : count(header + 124, 12);
  int sparse_type = entry->type == 'S';
  at += BLOCK;
  if (sparse_type) {
    char copy[BLOCK];
    memcpy(copy, header, BLOCK); /* what is read behind it takes its place */
    take_old_sparse(copy);
    entry->type = '0';
  }
  /* links and the like have none, whatever their size says: docker's reader has it so, and readers must not differ */
  if (entry->type >= '1' && entry->type <= '6') size = 0;
  begin_data(size);
  entry->size = entry->length = size;
  entry->sparse = said.sparse && (entry->type == '0' || entry->type == '7');
  if (!entry->sparse) return;
  if (!(said.has & HAS_LENGTH) || said.length > LENGTH_MAX) tar_fail("a sparse file has no length", 0);
  entry->length = said.length;
  if (said.major == 1 && !sparse_type) take_map_in_data();
  check_spans();
}

int tar_next(void) {
  struct tar_entry *entry = &tar_entry;
  memset(&said, 0, sizeof said);
  entry->xattr_count = entry->span_count = 0;
  if (global_size) take_pax(global_pax, global_size, 1);
  for (;;) {
    size_t there = fill(BLOCK);
    if (!there) return 0;
    if (there < BLOCK) tar_fail("the archive is cut", 0);
    const char *header = buffer + at;
    if (is_zero(header)) return 0;
    check_sum(header);
    char type = header[156];
    if (type != 'x' && type != 'g' && type != 'L' && type != 'K') {
      read_header(header);
      finish_entry(header);
      return 1;
    }
    uint64_t size = count(header + 124, 12);
    at += BLOCK;
    begin_data(size);
    if (type == 'g') {
      global_size = read_whole(global_pax, PAX_MAX);
      take_pax(global_pax, global_size, 1);
    } else if (type == 'x') {
      size_t length = read_whole(pax, PAX_MAX);
      entry->xattr_count = 0; /* their values stood where this one's stand now */
      take_pax(pax, length, 0);
    } else {
      static char name[TAR_PATH_MAX + BLOCK];
      size_t length = read_whole(name, sizeof name - 1);
      field(type == 'L' ? entry->path : entry->link, 0, name, length);
      said.has |= type == 'L' ? HAS_PATH : HAS_LINK;
    }
  }
}
