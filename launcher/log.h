/* A sandbox's log: lines `2026-01-02T03:04:05.678901234Z stdout F text`, as Kubernetes' container runtimes write them. */
#ifndef BRIG_LOG_H
#define BRIG_LOG_H

#include <stddef.h>
#include <stdint.h>

#define LOG_LINE_MAX 16384 /* a longer line is cut into parts, all but the last marked P */

struct log {
  int folder;       /* -1: no log */
  const char *name;
  int fd;
  uint64_t size, limit;
  struct { size_t size; char bytes[LOG_LINE_MAX]; } lines[2]; /* begun, of standard output and standard error */
};

/* A log that can't be opened is none: the payload's life does not hang on it. */
void log_open(struct log *log, int folder, const char *name, uint64_t limit);

/* `stream`: 1 or 2. */
void log_write(struct log *log, int stream, const char *bytes, size_t size);

/* What no line break ended is written too. */
void log_close(struct log *log);

#endif
