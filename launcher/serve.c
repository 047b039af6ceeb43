/* The process beside a sandbox on named networks (serve.h): reads its words, opens its ports, waits for the end. */
#include "serve.h"
#include "run.h"
#include "signals.h"
#include "socket.h"
#include "sys.h"
#include <linux/poll.h>
#include <linux/prctl.h>
#include <linux/resource.h>

#define LEASH 3
#define DNS_DATAGRAMS 4
#define DNS_STREAMS 5
#define NOBODY 65534
#define RESTARTS_MAX 16
#define SO_REUSEADDR 2
#define RLIMIT_NOFILE_ 7

struct service service;
static int epoll_fd = -1;

uint64_t clock_ms(void) {
  struct __kernel_timespec now;
  sys(__NR_clock_gettime, 1 /* CLOCK_MONOTONIC */, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* --- words ------------------------------------------------------------------------------------------------------- */

static int hex_digit(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int place_read(union place *place, const char *text) {
  memset(place, 0, sizeof *place);
  size_t size = text[0] == '4' ? 4 : text[0] == '6' ? 16 : 0;
  uint8_t *to = size == 4 ? place->v4.address : place->v6.address;
  if (!size || text[1] != '.') return -EINVAL;
  for (size_t i = 0; i < size; i++) {
    int high = hex_digit(text[2 + 2 * i]), low = high < 0 ? -1 : hex_digit(text[3 + 2 * i]);
    if (low < 0) return -EINVAL;
    to[i] = (uint8_t)(high << 4 | low);
  }
  place->family = size == 4 ? INET : INET6;
  return text[2 + 2 * size] ? -EINVAL : 0;
}

/* The part of "tcp/4.00000000/8080/80" up to the next slash, and what is behind it. */
static const char *take_part(char *to, size_t room, const char *from) {
  size_t n = 0;
  while (*from && *from != '/' && n + 1 < room) to[n++] = *from++;
  to[n] = 0;
  return *from == '/' ? from + 1 : from;
}

static int read_listener(const char *text) {
  char protocol[8], place[48], host[8], guest[8];
  uint64_t number = 0, inner;
  if (service.listener_count == LISTENERS_MAX) return -E2BIG;
  struct listener *listener = &service.listeners[service.listener_count];
  text = take_part(guest, sizeof guest, take_part(host, sizeof host, take_part(place, sizeof place, take_part(protocol, sizeof protocol, text))));
  listener->source.fd = -1;
  listener->type = text_starts(protocol, "tcp") ? STREAM : DATAGRAM;
  listener->optional = protocol[3] == '?';
  listener->same_port = text_equal(host, "=");
  if (*text || place_read(&listener->at, place) < 0 || text_number(guest, &inner) < 0 || inner > 65535) return -EINVAL;
  if (!listener->same_port && (text_number(host, &number) < 0 || number > 65535)) return -EINVAL;
  listener->host = (uint16_t)number;
  listener->guest = (uint16_t)inner;
  service.listener_count++;
  return 0;
}

static int read_word(const char *word) {
  uint64_t number;
  if (text_equal(word, "dns")) return service.dns = 1, 0;
  if (text_starts(word, "root=")) return service.root = word + 5, 0;
  if (text_starts(word, "open=")) return service.open_file = word + 5, 0;
  if (text_starts(word, "of=")) return text_copy(service.id, sizeof service.id, word + 3), 0;
  if (text_starts(word, "to=")) return place_read(&service.to, word + 3);
  if (text_starts(word, "port=")) return read_listener(word + 5);
  if (text_starts(word, "until=")) return text_number(word + 6, &number) < 0 ? -EINVAL : (service.until = (int)number, 0);
  if (text_starts(word, "server=")) return service.server_count == SERVERS_MAX ? 0 : place_read(&service.servers[service.server_count++], word + 7);
  return -EINVAL;
}

/* --- ports ------------------------------------------------------------------------------------------------------- */

static void append_place(char *line, size_t room, const union place *place) {
  const uint8_t *bytes = place->family == INET ? place->v4.address : place->v6.address;
  text_append(line, room, place->family == INET ? "4." : "6.");
  for (int i = 0; i < (place->family == INET ? 4 : 16); i++) {
    char two[3] = {"0123456789abcdef"[bytes[i] >> 4], "0123456789abcdef"[bytes[i] & 15], 0};
    text_append(line, room, two);
  }
}

static void append_port(char *line, size_t room, const struct listener *listener) {
  text_append(line, room, listener->type == STREAM ? "tcp " : "udp ");
  append_place(line, room, &listener->at);
  text_append(line, room, " ");
  text_append_number(line, room, listener->host);
}

static int bind_listener(struct listener *listener) {
  int one = 1, size = place_size(&listener->at), inet6 = listener->at.family == INET6;
  int fd = (int)sys(__NR_socket, listener->at.family, listener->type | NONBLOCK | CLOSED_EXEC, 0);
  if (fd < 0) return fd;
  listener->source.fd = fd;
  if (inet6) sys(__NR_setsockopt, fd, 41 /* IPPROTO_IPV6 */, 26 /* IPV6_V6ONLY */, &one, sizeof one);
  /* to answer from the address that was asked (ip(7), ipv6(7)) */
  if (listener->type == DATAGRAM) sys(__NR_setsockopt, fd, inet6 ? 41 : 0, inet6 ? 49 /* IPV6_RECVPKTINFO */ : 8 /* IP_PKTINFO */, &one, sizeof one);
  else sys(__NR_setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  place_port(&listener->at, listener->host);
  int result = (int)sys(__NR_bind, fd, &listener->at, size);
  if (result >= 0 && listener->type == STREAM) result = (int)sys(__NR_listen, fd, 512);
  if (result >= 0 && !listener->host) {
    result = (int)sys(__NR_getsockname, fd, &listener->at, &size);
    listener->host = __builtin_bswap16(listener->at.v4.port);
  }
  return result;
}

/* As people write it; IPv6 in full. */
static void append_readable(char *line, size_t room, const struct listener *listener) {
  int inet = listener->at.family == INET;
  text_append(line, room, inet ? "" : "[");
  for (int i = 0; i < (inet ? 4 : 16); i++) {
    const uint8_t byte = inet ? listener->at.v4.address[i] : listener->at.v6.address[i];
    char two[3] = {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15], 0};
    if (i && (inet || i % 2 == 0)) text_append(line, room, inet ? "." : ":");
    if (inet) text_append_number(line, room, byte);
    else text_append(line, room, two);
  }
  text_append(line, room, inet ? ":" : "]:");
  text_append_number(line, room, listener->host);
}

static int fail_port(const struct listener *listener, int error) {
  char line[160] = "port ";
  append_readable(line, sizeof line, listener);
  text_append(line, sizeof line, listener->type == STREAM ? "/tcp of the host " : "/udp of the host ");
  if (error == -EADDRINUSE) text_append(line, sizeof line, "is taken by another program");
  else if (error == -EACCES) text_append(line, sizeof line, "is not for this user");
  else if (error == -EADDRNOTAVAIL) text_append(line, sizeof line, "is on an address that the host does not have");
  else text_append(line, sizeof line, "cannot be opened: errno "), text_append_number(line, sizeof line, (uint64_t)-error);
  print(1, line);
  return -1;
}

static int open_ports(void) {
  int file = service.open_file && service.listener_count ? sys_openat(AT_FDCWD, service.open_file, O_CREAT | O_TRUNC | O_WRONLY | O_NOFOLLOW, 0600) : -1;
  for (int i = 0; i < service.listener_count; i++) {
    struct listener *listener = &service.listeners[i];
    if (listener->same_port && i) listener->host = listener[-1].host;
    int result = bind_listener(listener);
    if (result < 0 && listener->source.fd >= 0) sys_close(listener->source.fd), listener->source.fd = -1;
    if (result < 0 && !(listener->optional && (result == -EAFNOSUPPORT || result == -EADDRNOTAVAIL))) return fail_port(listener, result);
    char line[128] = "";
    append_port(line, sizeof line, listener);
    text_append(line, sizeof line, " ");
    text_append_number(line, sizeof line, listener->guest);
    text_append(line, sizeof line, "\n");
    if (result >= 0 && file >= 0) write_all(file, line, strlen(line));
  }
  if (file >= 0) sys_close(file);
  return 0;
}

/* --- the one who serves ------------------------------------------------------------------------------------------ */

int source_watch(struct source *source, uint32_t events) {
  struct epoll_event event = {events, (uint64_t)(uintptr_t)source};
  if (events == source->watched) return 0;
  int how = !source->watched ? EPOLL_CTL_ADD : events ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;
  int result = (int)sys(__NR_epoll_ctl, epoll_fd, how, source->fd, &event);
  if (result >= 0) source->watched = events;
  return result;
}

void source_close(struct source *source) {
  if (source->fd < 0) return;
  source_watch(source, 0);
  sys_close(source->fd);
  source->fd = -1;
}

static struct source dns_datagrams = {DNS_DATAGRAMS, 0, names_datagram}, dns_streams = {DNS_STREAMS, 0, names_accept};

static int watch_all(void) {
  epoll_fd = (int)sys(__NR_epoll_create1, CLOSED_EXEC);
  if (epoll_fd < 0) return epoll_fd;
  for (int i = 0; i < service.listener_count; i++) {
    struct listener *listener = &service.listeners[i];
    listener->source.ready = listener->type == STREAM ? relay_accept : datagram_relay_ready;
    if (listener->source.fd >= 0 && source_watch(&listener->source, EPOLLIN) < 0) return -1;
  }
  if (!service.dns) return 0;
  for (int fd = DNS_DATAGRAMS; fd <= DNS_STREAMS; fd++) sys_fcntl(fd, F_SETFL, O_RDWR | NONBLOCK);
  return source_watch(&dns_datagrams, EPOLLIN) < 0 || source_watch(&dns_streams, EPOLLIN) < 0 ? -1 : 0;
}

/* Who reads what strangers send has no rights and sees nothing but names. */
static int drop_rights(void) {
  struct { uint64_t now, most; } files;
  if (sys(__NR_prlimit64, 0, RLIMIT_NOFILE_, 0, &files) >= 0) files.now = files.most, sys(__NR_prlimit64, 0, RLIMIT_NOFILE_, &files, 0);
  int result = service.root ? (int)sys(__NR_chroot, service.root) : 0;
  if (result == -EPERM && sys(__NR_geteuid)) result = (int)sys(__NR_chdir, service.root); /* an ordinary user: has none to drop */
  else if (result >= 0) result = (int)sys(__NR_chdir, "/");
  if (result < 0 || sys(__NR_geteuid)) return result;
  result = (int)sys(__NR_setgroups, 0, 0);
  if (result >= 0) result = (int)sys(__NR_setresgid, NOBODY, NOBODY, NOBODY);
  if (result >= 0) result = (int)sys(__NR_setresuid, NOBODY, NOBODY, NOBODY);
  return result < 0 ? result : (int)sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static _Noreturn void serve(int parent) {
  if (drop_rights() < 0 || watch_all() < 0) sys_exit(125);
  /* behind the change of identity, which takes it back (prctl(2)) */
  if (sys_prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0) < 0 || sys(__NR_getppid) != parent) sys_exit(125);
  sys_close(LEASH);
  for (;;) {
    struct epoll_event event;
    long count = sys(__NR_epoll_pwait, epoll_fd, &event, 1, names_tick(), 0, 8);
    if (count < 0 && count != -EINTR) sys_exit(125);
    struct source *source = (struct source *)(uintptr_t)event.data;
    if (count == 1) source->ready(source, event.events);
  }
}

/* --- the one who waits ------------------------------------------------------------------------------------------- */

static int start_worker(int *pidfd) {
  int parent = sys_getpid(), pid = sys_fork();
  if (!pid) serve(parent);
  *pidfd = pid < 0 ? pid : (int)sys(__NR_pidfd_open, pid, 0);
  return pid;
}

static void end_worker(int pid, int pidfd) {
  if (pid <= 0) return;
  sys_kill(pid, 9);
  while (sys(__NR_wait4, pid, 0, 0, 0) == -EINTR) {}
  sys_close(pidfd);
}

/* Until the leash ends; one who serves and dies is started anew, some times. */
static void wait_for_end(int end, int works) {
  int pidfd = -1, pid = works ? start_worker(&pidfd) : 0, restarts = 0;
  if (!service.until) write_all(LEASH, "r", 1);
  for (;;) {
    struct pollfd polls[2] = {{end, POLLIN, 0}, {pidfd, POLLIN, 0}};
    if (sys(__NR_ppoll, polls, 2, 0, 0, 0) < 0) continue;
    if (polls[0].revents) break;
    if (!polls[1].revents) continue;
    end_worker(pid, pidfd);
    pid = 0, pidfd = -1;
    if (restarts++ < RESTARTS_MAX) pid = start_worker(&pidfd);
  }
  end_worker(pid, pidfd);
}

static int undo(char **program) {
  uint64_t none = 0;
  sys(__NR_rt_sigprocmask, 2 /* SIG_SETMASK */, &none, 0, sizeof none);
  return program[0] ? (int)sys(__NR_execve, program[0], program, launcher_env) : 0;
}

static int fail(const char *what, char **program) {
  print(1, what);
  int pid = sys_fork();
  if (!pid) undo(program), sys_exit(125);
  while (pid > 0 && sys(__NR_wait4, pid, 0, 0, 0) == -EINTR) {}
  return 1;
}

int serve_main(int count, char **words) {
  int i = 0, result = 0;
  for (; i < count && !text_equal(words[i], "--") && result >= 0; i++) result = read_word(words[i]);
  char **program = i < count ? words + i + 1 : words + count;
  if (result < 0) return fail("--serve: a word that means nothing", program);
  int end = service.until ? (int)sys(__NR_pidfd_open, service.until, 0) : LEASH;
  if (end < 0 && end != -ESRCH) return fail("pidfd_open", program);
  if (signals_hold() < 0 || open_ports() < 0) return fail("", program);
  if (end >= 0) wait_for_end(end, service.dns || service.listener_count);
  for (int j = 0; j < service.listener_count; j++)
    if (service.listeners[j].source.fd >= 0) sys_close(service.listeners[j].source.fd);
  return undo(program) < 0 ? 125 : 0;
}
