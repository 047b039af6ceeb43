/*
 * What stands beside a sandbox on named networks: answers for their names inside, and hands connections to published
 * ports of the host over to it. `brig --serve WORDS… -- PROGRAM ARGUMENT…`:
 *
 *     until=PID        the sandbox's end is that of this process; without it, the end of descriptor 3, on which a byte
 *                      says before that everything is ready
 *     root=FOLDER      becomes the root of the one who serves, an unprivileged process
 *     of=ID            FOLDER/.of/ID holds a link for each network, by the network's name, to the folder of its names:
 *                      there NAME/FAMILY.HEX is an address of NAME, and "@FAMILY.HEX" holds the name of an address
 *     server=PLACE     a resolver that is asked all other names
 *     to=PLACE         the sandbox's address
 *     port=PROTOCOL/PLACE/HOST/GUEST   "tcp" or "udp", with "?" behind it one that a host without the family goes
 *                      without; HOST 0 is a port that is free, "=" the one of the word before
 *     open=FILE        gets a line "PROTOCOL PLACE HOST GUEST" for each port that is open
 *     dns              descriptors 4 and 5 are the sandbox's sockets for questions: datagrams, and streams
 *
 * At the sandbox's end PROGRAM takes this process's place and undoes what was done. A PLACE is "4." and 8, or "6." and
 * 32 hexadecimal digits.
 */
#ifndef BRIG_SERVE_H
#define BRIG_SERVE_H

#include <linux/eventpoll.h>
#include <stddef.h>
#include <stdint.h>

#define INET 2
#define INET6 10
#define STREAM 1
#define DATAGRAM 2
#define NONBLOCK 04000
#define CLOSED_EXEC 02000000
#define SERVERS_MAX 8
#define LISTENERS_MAX 512

/* struct sockaddr_in and sockaddr_in6, whose headers are a C library's. */
union place {
  uint16_t family;
  struct { uint16_t family, port; uint8_t address[4]; char zero[8]; } v4;
  struct { uint16_t family, port; uint32_t flow; uint8_t address[16]; uint32_t scope; } v6;
};
static inline int place_size(const union place *place) { return place->family == INET ? 16 : 28; }
static inline void place_port(union place *place, uint16_t port) { place->v4.port = __builtin_bswap16(port); /* in the same spot */ }
int place_read(union place *place, const char *text); /* "4.0a000001": 0, or -EINVAL */

/* Something that is waited for. `ready` may close it, and anything else: events are taken one by one. */
struct source {
  int fd;
  uint32_t watched;
  void (*ready)(struct source *source, uint32_t events);
};
int source_watch(struct source *source, uint32_t events); /* 0: not at all */
void source_close(struct source *source);

struct listener {
  struct source source;
  int type, optional, same_port;
  uint16_t host, guest;
  union place at;
};

struct service {
  char id[64];
  const char *root, *open_file;
  union place servers[SERVERS_MAX], to;
  int server_count, dns, until;
  struct listener listeners[LISTENERS_MAX];
  int listener_count;
};
extern struct service service;

uint64_t clock_ms(void);

/* relay.c */
void relay_accept(struct source *source, uint32_t events);          /* a listener for streams */
void datagram_relay_ready(struct source *source, uint32_t events);  /* one for datagrams */

/* names.c */
void names_datagram(struct source *source, uint32_t events);
void names_accept(struct source *source, uint32_t events); /* relay.c: a question over a stream */
int names_tick(void);                                      /* asks again; milliseconds until it wants to be called again, or -1 */
/* The answer to a question, as long as it is about members of the sandbox's networks: its length, 0 when it is not, -1 when it is no question. */
int names_answer(const uint8_t *question, size_t size, uint8_t *answer, size_t room);

#endif
