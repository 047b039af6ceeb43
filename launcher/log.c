#include "log.h"
#include "sys.h"
#include <linux/time.h>

#define STAMP_SIZE 31 /* 2026-01-02T03:04:05.678901234Z and a space */

static struct { size_t size; char bytes[8192]; } out;

static void flush(struct log *log) {
  if (!out.size) return;
  if (write_all(log->fd, out.bytes, out.size) >= 0) log->size += out.size;
  out.size = 0;
}

static void put(struct log *log, const char *bytes, size_t size) {
  if (size > sizeof out.bytes) {
    flush(log);
    if (write_all(log->fd, bytes, size) >= 0) log->size += size;
    return;
  }
  if (size > sizeof out.bytes - out.size) flush(log);
  memcpy(out.bytes + out.size, bytes, size);
  out.size += size;
}

static void open_file(struct log *log) {
  log->fd = sys_openat(log->folder, log->name, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
  long end = log->fd < 0 ? 0 : sys(__NR_lseek, log->fd, 0, 2 /* SEEK_END */);
  log->size = end > 0 ? (uint64_t)end : 0;
}

/* A reader that holds the old file open reads it to its end; NAME.1 is what it is called now. */
static void rotate(struct log *log) {
  char old[256];
  text_copy(old, sizeof old, log->name);
  text_append(old, sizeof old, ".1");
  sys(__NR_renameat2, log->folder, log->name, log->folder, old, 0);
  sys_close(log->fd);
  open_file(log);
}

static char *put_digits(char *to, uint64_t value, int digits, char behind) {
  for (int i = digits - 1; i >= 0; i--, value /= 10) to[i] = (char)('0' + value % 10);
  to[digits] = behind;
  return to + digits + 1;
}

/* The proleptic Gregorian date of a count of days from 1970-01-01: eras of 400 years that begin in March. */
static char *put_date(char *to, int64_t days) {
  days += 719468;
  int64_t era = days / 146097, day_of_era = days % 146097;
  int64_t year = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
  int64_t month = (5 * day_of_year + 2) / 153, day = day_of_year - (153 * month + 2) / 5 + 1;
  month = month < 10 ? month + 3 : month - 9;
  to = put_digits(to, (uint64_t)(year + era * 400 + (month <= 2)), 4, '-');
  to = put_digits(to, (uint64_t)month, 2, '-');
  return put_digits(to, (uint64_t)day, 2, 'T');
}

static void make_stamp(char stamp[STAMP_SIZE]) {
  struct __kernel_timespec now;
  sys(__NR_clock_gettime, CLOCK_REALTIME, &now);
  uint64_t second = (uint64_t)now.tv_sec % 86400;
  char *to = put_date(stamp, now.tv_sec / 86400);
  to = put_digits(to, second / 3600, 2, ':');
  to = put_digits(to, second / 60 % 60, 2, ':');
  to = put_digits(to, second % 60, 2, '.');
  to = put_digits(to, (uint64_t)now.tv_nsec, 9, 'Z');
  *to = ' ';
}

static void put_line(struct log *log, int stream, const char *stamp, int whole) {
  if (log->limit && log->size + out.size >= log->limit) flush(log), rotate(log);
  put(log, stamp, STAMP_SIZE);
  put(log, stream == 1 ? "stdout " : "stderr ", 7);
  put(log, whole ? "F " : "P ", 2);
  put(log, log->lines[stream - 1].bytes, log->lines[stream - 1].size);
  put(log, "\n", 1);
  log->lines[stream - 1].size = 0;
}

void log_open(struct log *log, int folder, const char *name, uint64_t limit) {
  log->folder = *name ? folder : -1;
  log->name = name;
  log->fd = -1;
  log->limit = limit;
  log->lines[0].size = log->lines[1].size = 0;
  if (log->folder >= 0) open_file(log);
}

void log_write(struct log *log, int stream, const char *bytes, size_t size) {
  char stamp[STAMP_SIZE];
  size_t *held = &log->lines[stream - 1].size;
  if (log->fd < 0) return;
  make_stamp(stamp);
  for (size_t i = 0; i < size; i++) {
    if (bytes[i] == '\n') {
      put_line(log, stream, stamp, 1);
      continue;
    }
    if (*held == LOG_LINE_MAX) put_line(log, stream, stamp, 0);
    log->lines[stream - 1].bytes[(*held)++] = bytes[i];
  }
  flush(log);
}

void log_close(struct log *log) {
  char stamp[STAMP_SIZE];
  if (log->fd < 0) return;
  make_stamp(stamp);
  for (int stream = 1; stream <= 2; stream++)
    if (log->lines[stream - 1].size) put_line(log, stream, stamp, 1);
  flush(log);
  sys_close(log->fd);
  log->fd = -1;
}
