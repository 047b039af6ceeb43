#include "status.h"
#include "socket.h"
#include "sys.h"

int socket_pair(int pair[2]) {
  return (int)sys(__NR_socketpair, AF_UNIX, SOCK_SEQPACKET | O_CLOEXEC, 0, pair);
}

int record_send(int fd, uint32_t type, const void *body, size_t size) {
  struct message message = {.record = {type, (uint32_t)size}};
  memcpy(message.body.bytes, body, size);
  size += sizeof message.record;
  long sent;
  do sent = sys(__NR_sendto, fd, &message, size, MSG_NOSIGNAL, 0, 0);
  while (sent == -EINTR);
  if (sent == -ENOTSOCK) return write_all(fd, &message, size);
  if (sent >= 0 && (size_t)sent < size) return write_all(fd, (char *)&message + sent, size - (size_t)sent);
  return sent < 0 ? (int)sent : 0;
}

/* Only one descriptor is ever wanted; the kernel closes what does not fit the room for it. */
int record_receive(int fd, struct message *message, int wait) {
  union descriptor_room room;
  struct iovec part = {message, offsetof(struct message, fd)};
  struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &room, .msg_controllen = sizeof room};
  long got;
  memset(&room, 0, sizeof room);
  do got = sys(__NR_recvmsg, fd, &header, (wait ? 0 : MSG_DONTWAIT) | MSG_CMSG_CLOEXEC);
  while (got == -EINTR);
  message->fd = got >= 0 && header.msg_controllen ? received_descriptor(&room) : -1;
  if (got <= 0) return (int)got;
  return (size_t)got < sizeof message->record ? -EPROTO : 1;
}

void status_created(const struct run *run) {
  struct record_created created = {.pid = run->child};
  memcpy(created.id, run->id, sizeof created.id);
  if (run->status_fd >= 0) record_send(run->status_fd, RECORD_CREATED, &created, sizeof created);
}

void status_exited(const struct run *run, const struct record_exited *exited) {
  if (run->status_fd >= 0) record_send(run->status_fd, RECORD_EXITED, exited, sizeof *exited);
}

/* Readers see the old file or the whole new one. */
void replace_file(int folder, const char *name, const char *text) {
  int fd = sys_openat(folder, ".new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
  if (fd < 0) return;
  int written = write_all(fd, text, strlen(text)); /* not to the disk: the run folder is for this boot */
  sys_close(fd);
  if (written < 0) sys_unlinkat(folder, ".new", 0);
  else sys(__NR_renameat2, folder, ".new", folder, name, 0);
}

static void append_field(char *line, size_t room, uint64_t value, const char *behind) {
  text_append_number(line, room, value);
  text_append(line, room, behind);
}

void write_exit_in(int folder, const struct record_exited *exited) {
  char line[192] = "";
  append_field(line, sizeof line, (uint64_t)(uint32_t)exited->status, " ");
  append_field(line, sizeof line, exited->oom_killed, " ");
  append_field(line, sizeof line, exited->timed_out, " ");
  append_field(line, sizeof line, exited->wall_us, " ");
  append_field(line, sizeof line, exited->user_us, " ");
  append_field(line, sizeof line, exited->system_us, " ");
  append_field(line, sizeof line, exited->max_rss_kb, "\n");
  replace_file(folder, "exit", line);
}

void state_write_exit(const struct run *run, const struct record_exited *exited) {
  if (run->state_dir < 0 || !(run->plan->header->run_flags & RUN_KEEP_STATE)) return; /* else it is removed at once */
  write_exit_in(run->state_dir, exited);
}

int exit_code(int32_t status) { return status & 0x7f ? 128 + (status & 0x7f) : status >> 8 & 0xff; }

uint64_t clock_us(void) {
  struct __kernel_timespec now;
  sys(__NR_clock_gettime, CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t microseconds(const struct __kernel_old_timeval *time) {
  return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}
