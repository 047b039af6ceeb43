/*
 * Published ports: a connection to one of the host's is accepted here, so that it has passed whatever the host's own
 * firewall asks of what comes in, and its bytes are carried to the sandbox and back.
 */
#include "run.h"
#include "serve.h"
#include "socket.h"
#include "sys.h"

#define CONNECTIONS_MAX 4096
#define ROOM 32768
#define FLOWS_MAX 512
#define QUESTION_MAX 514 /* two bytes of length before it */

struct way { uint8_t *room; uint32_t from, to; int ended, shut; };
struct connection {
  struct source client, target; /* in this order: other_side() counts on it */
  struct way in, out;           /* from the client, and to it */
  int connecting, asking;       /* asking: the target is not known before a whole question has come */
  struct connection *next_free;
};

static struct connection connections[CONNECTIONS_MAX], *free_connections;
static int connection_count;

static void connection_ready(struct source *source, uint32_t events);

static struct connection *take_connection(void) {
  struct connection *connection = free_connections;
  if (connection) free_connections = connection->next_free;
  else if (connection_count < CONNECTIONS_MAX) connection = &connections[connection_count++];
  else return 0;
  memset(connection, 0, sizeof *connection);
  long memory = sys(__NR_mmap, 0, 2 * ROOM, 3 /* read, write */, 0x22 /* private, anonymous */, -1, 0);
  connection->client.fd = connection->target.fd = -1;
  connection->client.ready = connection->target.ready = connection_ready;
  if ((unsigned long)memory < -4096ul) return connection->in.room = (uint8_t *)memory, connection->out.room = connection->in.room + ROOM, connection;
  connection->next_free = free_connections;
  free_connections = connection;
  return 0;
}

static void end_connection(struct connection *connection) {
  source_close(&connection->client);
  source_close(&connection->target);
  sys(__NR_munmap, connection->in.room, 2 * ROOM);
  connection->next_free = free_connections;
  free_connections = connection;
}

/* Below 0: the connection is over. */
static int connect_target(struct connection *connection, const union place *to, uint16_t port) {
  union place at = *to;
  place_port(&at, port);
  connection->target.fd = (int)sys(__NR_socket, at.family, STREAM | NONBLOCK | CLOSED_EXEC, 0);
  if (connection->target.fd < 0) return -1;
  int one = 1;
  for (int i = 0; i < 2; i++) sys(__NR_setsockopt, i ? connection->target.fd : connection->client.fd, 6 /* IPPROTO_TCP */, 1 /* TCP_NODELAY */, &one, sizeof one);
  long result = sys(__NR_connect, connection->target.fd, &at, place_size(&at));
  connection->connecting = result == -EINPROGRESS;
  return result < 0 && result != -EINPROGRESS ? -1 : 0;
}

/* A question over a stream that is about members is answered here; others go to the first resolver as they are. */
static int take_question(struct connection *connection) {
  struct way *in = &connection->in, *out = &connection->out;
  size_t size = in->to >= 2 ? (size_t)(in->room[0] << 8 | in->room[1]) : 0;
  if (in->to >= 2 && (size < 12 || size > QUESTION_MAX - 2)) return -1;
  if (in->to < 2 || in->to < size + 2) return in->ended ? -1 : 0;
  int answered = names_answer(in->room + 2, size, out->room + 2, ROOM - 2);
  if (answered < 0) return -1;
  connection->asking = 0;
  if (!answered) return connect_target(connection, &service.servers[0], 53);
  out->room[0] = (uint8_t)(answered >> 8), out->room[1] = (uint8_t)answered;
  out->to = (uint32_t)answered + 2;
  in->from = in->to = 0;
  in->ended = in->shut = out->ended = 1;
  return 0;
}

/* Below 0: the connection is over. */
static int carry(struct source *from, struct source *to, struct way *way, int open) {
  for (int moved = 1; moved;) {
    moved = 0;
    if (!way->ended && from->fd >= 0 && way->to < ROOM) {
      long n = sys_read(from->fd, way->room + way->to, ROOM - way->to);
      if (n < 0 && n != -EAGAIN && n != -EINTR) return -1;
      if (n == 0) way->ended = 1;
      if (n > 0) way->to += (uint32_t)n;
    }
    if (way->from < way->to && open) {
      long n = sys(__NR_sendto, to->fd, way->room + way->from, way->to - way->from, MSG_NOSIGNAL, 0, 0);
      if (n < 0 && n != -EAGAIN && n != -EINTR) return -1;
      if (n > 0) way->from += (uint32_t)n, moved = 1;
    }
    if (way->from == way->to) way->from = way->to = 0;
  }
  if (way->ended && way->from == way->to && open && !way->shut) way->shut = 1, sys(__NR_shutdown, to->fd, 1 /* SHUT_WR */);
  return 0;
}

static void watch_connection(struct connection *connection) {
  struct way *in = &connection->in, *out = &connection->out;
  uint32_t client = (in->ended || in->to == ROOM ? 0 : EPOLLIN) | (out->from < out->to ? EPOLLOUT : 0);
  uint32_t target = connection->connecting ? EPOLLOUT : (out->ended || out->to == ROOM ? 0 : EPOLLIN) | (in->from < in->to ? EPOLLOUT : 0);
  int result = source_watch(&connection->client, client);
  if (result >= 0 && connection->target.fd >= 0) result = source_watch(&connection->target, target);
  if (result < 0) end_connection(connection);
}

static void move_on(struct connection *connection) {
  struct source *client = &connection->client, *target = &connection->target;
  int open = target->fd >= 0 && !connection->connecting, result = 0;
  if (connection->asking) {
    result = carry(client, target, &connection->in, 0);
    if (result >= 0) result = take_question(connection);
    open = target->fd >= 0 && !connection->connecting;
  } else result = carry(client, target, &connection->in, open);
  if (result >= 0) result = carry(target, client, &connection->out, 1);
  if (result < 0 || (connection->in.shut && connection->out.shut)) end_connection(connection);
  else watch_connection(connection);
}

static int finish_connecting(struct connection *connection) {
  int error = 0, size = sizeof error;
  sys(__NR_getsockopt, connection->target.fd, SOL_SOCKET, 4 /* SO_ERROR */, &error, &size);
  connection->connecting = 0;
  return -error;
}

static void connection_ready(struct source *source, uint32_t events) {
  struct connection *connection = 0;
  size_t place = (size_t)((char *)source - (char *)connections) / sizeof *connection;
  connection = &connections[place];
  int failed = (events & EPOLLERR) != 0;
  if (!failed && source == &connection->target && connection->connecting) failed = finish_connecting(connection) < 0;
  if (failed) end_connection(connection);
  else move_on(connection);
}

static struct connection *accept_client(int fd) {
  int client = (int)sys(__NR_accept4, fd, 0, 0, NONBLOCK | CLOSED_EXEC);
  if (client < 0) return 0;
  struct connection *connection = take_connection();
  if (connection) connection->client.fd = client;
  else sys_close(client);
  return connection;
}

void relay_accept(struct source *source, uint32_t events unused) {
  struct listener *listener = (struct listener *)source;
  struct connection *connection = accept_client(source->fd);
  if (!connection) return;
  if (connect_target(connection, &service.to, listener->guest) < 0) end_connection(connection);
  else move_on(connection);
}

void names_accept(struct source *source, uint32_t events unused) {
  struct connection *connection = accept_client(source->fd);
  if (!connection) return;
  connection->asking = 1;
  move_on(connection);
}

/* --- datagrams --------------------------------------------------------------------------------------------------- */

struct flow {
  struct source target;
  struct listener *listener;
  union place client;
  char asked[64]; /* the control message with the address that was asked (IP_PKTINFO, IPV6_PKTINFO) */
  size_t asked_size;
  uint64_t used;
};
static struct flow flows[FLOWS_MAX];
static uint8_t datagram[65536];

static long receive(int fd, union place *from, struct iovec *part, char *control, size_t *control_size) {
  struct msghdr message = {from, sizeof *from, part, 1, control, *control_size, 0};
  long n = sys(__NR_recvmsg, fd, &message, MSG_DONTWAIT);
  *control_size = n < 0 ? 0 : message.msg_controllen;
  return n;
}

static void flow_ready(struct source *source, uint32_t events unused) {
  struct flow *flow = (struct flow *)source;
  long n = sys(__NR_recvfrom, source->fd, datagram, sizeof datagram, MSG_DONTWAIT, 0, 0);
  if (n < 0) return; /* what the sandbox refused (ICMP) is read away by this */
  struct iovec part = {datagram, (size_t)n};
  struct msghdr message = {&flow->client, place_size(&flow->client), &part, 1, flow->asked_size ? flow->asked : 0, flow->asked_size, 0};
  flow->used = clock_ms();
  sys(__NR_sendmsg, flow->listener->source.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static struct flow *find_flow(const struct listener *listener, const union place *client) {
  struct flow *oldest = &flows[0];
  for (struct flow *flow = flows; flow < flows + FLOWS_MAX; flow++) {
    if (flow->listener == listener && !memcmp(&flow->client, client, (size_t)place_size(client))) return flow;
    if (flow->used < oldest->used) oldest = flow;
  }
  return oldest;
}

static int open_flow(struct flow *flow, struct listener *listener, const union place *client) {
  union place at = service.to;
  place_port(&at, listener->guest);
  if (flow->listener) source_close(&flow->target);
  memset(flow, 0, sizeof *flow);
  flow->target.ready = flow_ready;
  flow->target.fd = (int)sys(__NR_socket, at.family, DATAGRAM | NONBLOCK | CLOSED_EXEC, 0);
  if (flow->target.fd < 0) return -1;
  flow->listener = listener;
  flow->client = *client;
  if (sys(__NR_connect, flow->target.fd, &at, place_size(&at)) >= 0 && source_watch(&flow->target, EPOLLIN) >= 0) return 0;
  source_close(&flow->target);
  flow->listener = 0;
  return -1;
}

/* The interface that it came in by is not the one that the answer must take. */
static void forget_interface(struct flow *flow) {
  struct { size_t length; int level, type, index; } *head = (void *)flow->asked;
  if (flow->asked_size >= 24 && head->level == 0) head->index = 0;
}

void datagram_relay_ready(struct source *source, uint32_t events unused) {
  struct listener *listener = (struct listener *)source;
  union place client;
  char control[sizeof flows[0].asked] __attribute__((aligned(8)));
  size_t control_size = sizeof control;
  struct iovec part = {datagram, sizeof datagram};
  memset(&client, 0, sizeof client);
  long n = receive(source->fd, &client, &part, control, &control_size);
  if (n < 0) return;
  struct flow *flow = find_flow(listener, &client);
  int known = flow->listener == listener && !memcmp(&flow->client, &client, (size_t)place_size(&client));
  if (!known && open_flow(flow, listener, &client) < 0) return;
  memcpy(flow->asked, control, control_size);
  flow->asked_size = control_size;
  forget_interface(flow);
  flow->used = clock_ms();
  sys(__NR_sendto, flow->target.fd, datagram, n, MSG_NOSIGNAL | MSG_DONTWAIT, 0, 0);
}
