/* Text, memory and whole transfers: the little that a C library would have given. */
#include "sys.h"

void *memcpy(void *to, const void *from, size_t size) {
  unsigned char *t = to;
  const unsigned char *f = from;
  while (size--) *t++ = *f++;
  return to;
}

void *memmove(void *to, const void *from, size_t size) {
  unsigned char *t = to;
  const unsigned char *f = from;
  if (t <= f) return memcpy(to, from, size);
  while (size--) t[size] = f[size];
  return to;
}

void *memset(void *to, int byte, size_t size) {
  unsigned char *t = to;
  while (size--) *t++ = (unsigned char)byte;
  return to;
}

int memcmp(const void *a, const void *b, size_t size) {
  const unsigned char *x = a, *y = b;
  for (; size--; x++, y++)
    if (*x != *y) return *x - *y;
  return 0;
}

size_t strlen(const char *text) {
  const char *end = text;
  while (*end) end++;
  return (size_t)(end - text);
}

int text_equal(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

int text_starts(const char *text, const char *prefix) {
  while (*prefix)
    if (*text++ != *prefix++) return 0;
  return 1;
}

size_t text_copy(char *to, size_t room, const char *from) {
  size_t n = 0;
  while (n + 1 < room && from[n]) to[n] = from[n], n++;
  to[n] = 0;
  return n;
}

size_t text_append(char *to, size_t room, const char *from) {
  size_t used = strlen(to);
  return used + text_copy(to + used, room - used, from);
}

size_t text_append_number(char *to, size_t room, uint64_t value) {
  char digits[24], *p = digits + sizeof digits - 1;
  *p = 0;
  do *--p = (char)('0' + value % 10);
  while (value /= 10);
  return text_append(to, room, p);
}

int text_number(const char *text, uint64_t *value) {
  *value = 0;
  if (!*text) return -EINVAL;
  for (; *text; text++) {
    if (*text < '0' || *text > '9' || *value > (UINT64_MAX - 9) / 10) return -EINVAL;
    *value = *value * 10 + (uint64_t)(*text - '0');
  }
  return 0;
}

uint64_t fnv1a(uint64_t hash, const void *data, size_t size) {
  for (const unsigned char *p = data; size--; p++) hash = (hash ^ *p) * FNV_PRIME;
  return hash;
}

int write_all(int fd, const void *data, size_t size) {
  const char *p = data;
  while (size) {
    long n = sys_write(fd, p, size);
    if (n == -EINTR) continue;
    if (n < 0) return (int)n;
    p += n;
    size -= (size_t)n;
  }
  return 0;
}

long read_up_to(int fd, void *buffer, size_t size) {
  size_t done = 0;
  while (done < size) {
    long n = sys_read(fd, (char *)buffer + done, size - done);
    if (n == -EINTR) continue;
    if (n < 0) return n;
    if (!n) break;
    done += (size_t)n;
  }
  return (long)done;
}

void print(int fd, const char *text) { write_all(fd, text, strlen(text)); }
