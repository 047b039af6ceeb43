/*
 * System calls without a C library. Each returns what the kernel returned: a value, or -errno.
 * Only calls that both x86_64 and aarch64 have, so the *at family and clone throughout.
 */
#ifndef BRIG_SYS_H
#define BRIG_SYS_H

#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include <linux/time_types.h>
#include <stddef.h>
#include <stdint.h>

#define unused __attribute__((unused))
#define array_size(array) (sizeof(array) / sizeof(array)[0])

#if defined(__x86_64__)
static inline long sys_call(long nr, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall" : "=a"(result) : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
static inline long sys_call(long nr, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = nr;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}
#else
#error "brig's launcher knows x86_64 and aarch64"
#endif

#define SYS_ARGS_(nr, a, b, c, d, e, f, ...) sys_call(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define sys(nr, ...) SYS_ARGS_(nr, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)

/* Constants of headers that only a C library has. */
#define SEEK_SET 0
#define STDERR 2
#ifndef O_PATH
#define O_PATH 010000000
#endif

static inline int sys_openat(int dir, const char *path, int flags, int mode) { return (int)sys(__NR_openat, dir, path, flags | O_CLOEXEC, mode); }
static inline int sys_close(int fd) { return (int)sys(__NR_close, fd); }
static inline long sys_read(int fd, void *buffer, size_t size) { return sys(__NR_read, fd, buffer, size); }
static inline long sys_write(int fd, const void *buffer, size_t size) { return sys(__NR_write, fd, buffer, size); }
static inline long sys_ioctl(int fd, unsigned long request, const void *argument) { return sys(__NR_ioctl, fd, request, argument); }
static inline int sys_mkdirat(int dir, const char *path, int mode) { return (int)sys(__NR_mkdirat, dir, path, mode); }
static inline int sys_unlinkat(int dir, const char *path, int flags) { return (int)sys(__NR_unlinkat, dir, path, flags); }
static inline int sys_dup3(int from, int to, int flags) { return (int)sys(__NR_dup3, from, to, flags); }
static inline int sys_getpid(void) { return (int)sys(__NR_getpid); }
static inline int sys_kill(int pid, int signal) { return (int)sys(__NR_kill, pid, signal); }
static inline long sys_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d) { return sys(__NR_prctl, option, a, b, c, d); }
static inline long sys_fcntl(int fd, int command, long argument) { return sys(__NR_fcntl, fd, command, argument); }
static inline _Noreturn void sys_exit(int code) { for (;;) sys(__NR_exit_group, code); }

/* fork(2): the child is the sandbox's or the launcher's own, so nothing is shared. */
static inline int sys_fork(void) { return (int)sys(__NR_clone, 17 /* SIGCHLD */, 0, 0, 0, 0); }

/*
 * vfork(2): the child has this memory until it executes or exits, and this process waits; no page is copied. Only for
 * a caller whose child never returns from the function that called this.
 */
static inline int sys_vfork(void) { return (int)sys(__NR_clone, 0x4100 /* CLONE_VM | CLONE_VFORK */ | 17 /* SIGCHLD */, 0, 0, 0, 0); }

/* Strings and memory (text.c). memcpy, memmove, memset and memcmp are what the compiler itself may call. */
void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);
int text_equal(const char *a, const char *b);
int text_starts(const char *text, const char *prefix);
size_t text_copy(char *to, size_t room, const char *from);       /* cut to room - 1, always ended; the length written */
size_t text_append(char *to, size_t room, const char *from);     /* behind what `to` holds */
size_t text_append_number(char *to, size_t room, uint64_t value);
int text_number(const char *text, uint64_t *value);              /* all digits, or -EINVAL */
uint64_t fnv1a(uint64_t seed, const void *data, size_t size);
#define FNV_SEED 0xcbf29ce484222325ull
#define FNV_PRIME 0x100000001b3ull

/* Whole reads and writes (text.c): EINTR and partial transfers are gone on with; 0 or -errno. */
int write_all(int fd, const void *data, size_t size);
long read_up_to(int fd, void *buffer, size_t size);              /* until full or end of file; bytes read */
void print(int fd, const char *text);

#endif
