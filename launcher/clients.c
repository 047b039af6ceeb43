/* A monitor's clients: who is let in, what they are shown, what they say. */
#include "monitor.h"
#include "signals.h"
#include "socket.h"
#include "status.h"
#include "sys.h"

int attach_send(int socket, uint32_t type, const void *body, uint32_t size) {
  struct iovec parts[] = {{&type, sizeof type}, {(void *)body, size}};
  struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};
  long sent;
  do sent = sys(__NR_sendmsg, socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent == -EINTR);
  return sent < 0 ? (int)sent : 0;
}

int attach_receive(int socket, struct attach_message *message) {
  long got;
  do got = sys(__NR_recvfrom, socket, message, sizeof *message, MSG_DONTWAIT, 0, 0);
  while (got == -EINTR);
  if (got < 0) return (int)got;
  return got < (long)sizeof message->type ? -EPIPE : (int)got - (int)sizeof message->type;
}

static int listen_at(struct monitor *monitor) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  /* through the descriptor: a state folder's path may be longer than an address has room for */
  text_copy(address.sun_path, sizeof address.sun_path, "/proc/self/fd/");
  text_append_number(address.sun_path, sizeof address.sun_path, (uint64_t)monitor->run->state_dir);
  text_append(address.sun_path, sizeof address.sun_path, "/attach");
  int mask = (int)sys(__NR_umask, 0177);
  int bound = (int)sys(__NR_bind, monitor->listener, &address, sizeof address);
  sys(__NR_umask, mask);
  return bound < 0 ? bound : (int)sys(__NR_listen, monitor->listener, CLIENTS_MAX);
}

void clients_listen(struct monitor *monitor) {
  if (monitor->run->state_dir < 0) return;
  monitor->listener = (int)sys(__NR_socket, AF_UNIX, SOCK_SEQPACKET | O_CLOEXEC | O_NONBLOCK, 0);
  if (monitor->listener < 0 || listen_at(monitor) >= 0) return;
  sys_close(monitor->listener);
  monitor->listener = -1;
}

static void drop(struct monitor *monitor, int i) {
  sys_close(monitor->clients[i].fd);
  monitor->clients[i] = (struct client){-1, 0};
  if (monitor->last_typed == i) monitor->last_typed = -1;
}

void clients_add(struct monitor *monitor, int fd) {
  struct attach_ready ready = {monitor->run->pty_mask, monitor->input >= 0 || monitor->run->pty_mask & 1, ""};
  int i = 0;
  while (i < CLIENTS_MAX && monitor->clients[i].fd >= 0) i++;
  text_copy(ready.detach_keys, sizeof ready.detach_keys, plan_string(monitor->run->plan, monitor->run->plan->header->detach_keys));
  if (i == CLIENTS_MAX || attach_send(fd, ATTACH_READY, &ready, sizeof ready) < 0) sys_close(fd);
  else monitor->clients[i] = (struct client){fd, 0};
}

static int may_attach(int fd) {
  struct ucred peer;
  int size = sizeof peer;
  if (sys(__NR_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return 0;
  return peer.uid == 0 || peer.uid == (uint32_t)sys(__NR_geteuid);
}

void clients_accept(struct monitor *monitor) {
  int fd = (int)sys(__NR_accept4, monitor->listener, 0, 0, O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return;
  if (may_attach(fd)) clients_add(monitor, fd);
  else sys_close(fd);
}

/* --- output ------------------------------------------------------------------------------------------------------ */

static void send_chunk(struct monitor *monitor, int i) {
  struct client *client = &monitor->clients[i];
  int sent = attach_send(client->fd, monitor->chunk_type, monitor->chunk, (uint32_t)monitor->chunk_size);
  client->late = sent == -EAGAIN;
  if (sent < 0 && !client->late) drop(monitor, i); /* an owner's end is seen on reading */
}

int clients_are_late(const struct monitor *monitor) {
  for (int i = 0; i < CLIENTS_MAX; i++)
    if (monitor->clients[i].fd >= 0 && monitor->clients[i].late) return 1;
  return 0;
}

void clients_send(struct monitor *monitor, uint32_t type, const char *bytes, size_t size) {
  if (bytes != monitor->chunk) memcpy(monitor->chunk, bytes, size);
  monitor->chunk_type = type;
  monitor->chunk_size = size;
  monitor->chunk_deadline_us = clock_us() + ATTACH_PATIENCE_MS * 1000;
  for (int i = 0; i < CLIENTS_MAX; i++)
    if (monitor->clients[i].fd >= 0) send_chunk(monitor, i);
}

void clients_retry(struct monitor *monitor, int i) {
  if (monitor->clients[i].late) send_chunk(monitor, i);
}

/* The sandbox's own terminal is waited for, as any command waits for its terminal; the others are guests. */
void clients_drop_late(struct monitor *monitor) {
  if (clock_us() < monitor->chunk_deadline_us) return;
  for (int i = 0; i < CLIENTS_MAX; i++)
    if (monitor->clients[i].fd >= 0 && monitor->clients[i].late && i != monitor->owner) drop(monitor, i);
}

void clients_end(struct monitor *monitor, int32_t code) {
  struct attach_end end = {code, monitor->run->status, monitor->run->ended};
  for (int i = 0; i < CLIENTS_MAX; i++) {
    if (monitor->clients[i].fd < 0) continue;
    attach_send(monitor->clients[i].fd, ATTACH_EXITED, &end, sizeof end);
    drop(monitor, i);
  }
  if (monitor->listener >= 0) sys_close(monitor->listener);
  monitor->listener = -1;
}

/* --- input ------------------------------------------------------------------------------------------------------- */

static void end_input(struct monitor *monitor) {
  if (monitor->run->pty_mask & 1) {
    monitor->typed[0] = monitor->typed[1] = 4; /* ^D: the first one only ends a line that was begun */
    monitor->typed_done = 0;
    monitor->typed_size = 2;
    return;
  }
  if (monitor->input >= 0) sys_close(monitor->input);
  monitor->input = -1;
}

static void take_input(struct monitor *monitor, const char *bytes, size_t size) {
  if (monitor->input < 0) return;
  memcpy(monitor->typed, bytes, size);
  monitor->typed_done = 0;
  monitor->typed_size = size;
}

static void on_gone(struct monitor *monitor, struct supervisor *supervisor, int i) {
  drop(monitor, i);
  if (monitor->owner != i) return;
  monitor->owner = -1;
  if (!(monitor->run->plan->header->run_flags & RUN_ATTACHED)) supervise_kill(supervisor);
}

void clients_serve(struct monitor *monitor, struct supervisor *supervisor, int i) {
  static struct attach_message message;
  int size = attach_receive(monitor->clients[i].fd, &message);
  if (size == -EAGAIN) return;
  if (size < 0) return on_gone(monitor, supervisor, i);
  switch (message.type) {
    case ATTACH_STDIN:
      monitor->last_typed = i;
      return take_input(monitor, message.body.bytes, (size_t)size);
    case ATTACH_STDIN_END: return end_input(monitor);
    case ATTACH_WINDOW:
      if (size != 4 || !monitor->front.window) return;
      return monitor->front.window(&monitor->front, message.body.window);
    case ATTACH_SIGNAL:
      if (size != 8 || message.body.signal.signal < 1 || message.body.signal.signal > 64) return;
      return supervise_signal(supervisor, message.body.signal.signal, !!message.body.signal.group);
    case ATTACH_DETACH:
      if (monitor->owner == i) monitor->owner = -1;
  }
}
