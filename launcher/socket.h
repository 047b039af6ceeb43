/* Sockets: the constants and structures that only a C library's headers have (sendmsg(2), unix(7), cmsg(3)). */
#ifndef BRIG_SOCKET_H
#define BRIG_SOCKET_H

#include <linux/un.h>
#include <stddef.h>
#include <stdint.h>

#ifndef AF_UNIX
#define AF_UNIX 1
#endif
#define SOCK_STREAM 1
#define SOCK_SEQPACKET 5
#define SOL_SOCKET 1
#define SO_SNDBUF 7
#define SO_PEERCRED 17
#define SCM_RIGHTS 1
#define MSG_DONTWAIT 0x40
#define MSG_NOSIGNAL 0x4000
#define MSG_CMSG_CLOEXEC 0x40000000

struct iovec { void *iov_base; size_t iov_len; };
struct msghdr {
  void *msg_name;
  int msg_namelen;
  struct iovec *msg_iov;
  size_t msg_iovlen;
  void *msg_control;
  size_t msg_controllen;
  unsigned msg_flags;
};
struct ucred { uint32_t pid, uid, gid; };

/* Room for one passed descriptor: struct cmsghdr and its content. */
union descriptor_room {
  struct { size_t length; int level, type, fd; } part;
  char bytes[24];
};

static inline int received_descriptor(const union descriptor_room *room) {
  return room->part.level == SOL_SOCKET && room->part.type == SCM_RIGHTS ? room->part.fd : -1;
}

#endif
