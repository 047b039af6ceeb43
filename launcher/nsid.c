/*
 * `--nsid get FILE…`, `--nsid set FILE ID`, `--nsid dump TARGET ID`: the ids that this network namespace has for others
 * (rtnetlink RTM_GETNSID and RTM_NEWNSID, ip-netns(8)), which Node cannot ask for. An answer is a line each; "-" says
 * that a namespace has none. Exit status 2: the kernel refused.
 */
#include "run.h"
#include "sys.h"
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#define NLA_ROOM 64

struct request {
  struct nlmsghdr header;
  struct rtgenmsg general;
  char attributes[NLA_ROOM];
};

static void start_request(struct request *request, int type, int flags) {
  memset(request, 0, sizeof *request);
  request->header = (struct nlmsghdr){NLMSG_LENGTH(sizeof(struct rtgenmsg)), (uint16_t)type, (uint16_t)(NLM_F_REQUEST | flags), 1, 0};
}

static void add_number(struct request *request, int type, int32_t value) {
  struct rtattr *attribute = (struct rtattr *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));
  attribute->rta_type = (uint16_t)type;
  attribute->rta_len = RTA_LENGTH(sizeof value);
  memcpy(RTA_DATA(attribute), &value, sizeof value);
  request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + RTA_LENGTH(sizeof value);
}

static int refuse(long error, const char *what) {
  const char *words = what;
  if (error == -EEXIST) words = "Peer netns already has a nsid assigned";
  else if (error == -EINVAL || error == -ENOENT) words = "Peer netns reference is invalid";
  else if (error == -EPERM) words = "Operation not permitted";
  print(STDERR, words);
  print(STDERR, "\n");
  return 2;
}

static int32_t find_number(const struct nlmsghdr *message, int type) {
  const struct rtattr *attribute = (const struct rtattr *)((const char *)message + NLMSG_SPACE(sizeof(struct rtgenmsg)));
  long room = (long)message->nlmsg_len - (long)NLMSG_SPACE(sizeof(struct rtgenmsg));
  int32_t value = -1;
  for (; RTA_OK(attribute, room); attribute = RTA_NEXT(attribute, room))
    if (attribute->rta_type == type && RTA_PAYLOAD(attribute) == sizeof value) memcpy(&value, RTA_DATA(attribute), sizeof value);
  return value;
}

static void print_number(int32_t value, const char *end) {
  char text[32] = "";
  if (value < 0) text_append(text, sizeof text, "-");
  else text_append_number(text, sizeof text, (uint64_t)value);
  text_append(text, sizeof text, end);
  print(1, text);
}

/* Prints the ids in an answer: 1 when there is more to come, 0 at its end, else -errno. */
static long read_answer(int fd, int both) {
  static char room[16384] __attribute__((aligned(8)));
  long left = sys_read(fd, room, sizeof room);
  if (left < 0) return left;
  int more = 0;
  for (struct nlmsghdr *message = (struct nlmsghdr *)room; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
    if (message->nlmsg_type == NLMSG_DONE) return 0;
    if (message->nlmsg_type == NLMSG_ERROR) return ((struct nlmsgerr *)NLMSG_DATA(message))->error;
    print_number(find_number(message, NETNSA_NSID), both ? " " : "\n");
    if (both) print_number(find_number(message, NETNSA_CURRENT_NSID), "\n");
    more = message->nlmsg_flags & NLM_F_MULTI ? 1 : 0;
  }
  return more;
}

static long talk(int fd, struct request *request, int both) {
  long result = write_all(fd, request, request->header.nlmsg_len);
  if (result < 0) return result;
  do result = read_answer(fd, both);
  while (result == 1 || result == -EINTR);
  return result;
}

static int get_ids(int fd, int count, char **files) {
  for (int i = 0; i < count; i++) {
    struct request request;
    int file = sys_openat(AT_FDCWD, files[i], O_RDONLY, 0);
    long result = file;
    if (file >= 0) {
      start_request(&request, RTM_GETNSID, 0);
      add_number(&request, NETNSA_FD, file);
      result = talk(fd, &request, 0);
      sys_close(file);
    }
    if (result < 0) print(1, "-\n"); /* gone, or a file that is no namespace: it has no id */
  }
  return 0;
}

static int set_id(int fd, const char *path, const char *text) {
  struct request request;
  uint64_t id = 0;
  int automatic = text_equal(text, "-1");
  if (!automatic && (text_number(text, &id) < 0 || id > 0x7fffffff)) return refuse(0, "not a nsid");
  int file = sys_openat(AT_FDCWD, path, O_RDONLY, 0);
  if (file < 0) {
    print(STDERR, file == -ENOENT ? "open: No such file or directory\n" : "open: Permission denied\n");
    return 1;
  }
  start_request(&request, RTM_NEWNSID, NLM_F_ACK);
  add_number(&request, NETNSA_FD, file);
  add_number(&request, NETNSA_NSID, automatic ? -1 : (int32_t)id);
  long result = talk(fd, &request, 0);
  return result < 0 ? refuse(result, "the kernel gives it no id") : 0;
}

static int dump_ids(int fd, const char *target, const char *id) {
  struct request request;
  uint64_t number;
  start_request(&request, RTM_GETNSID, *id ? 0 : NLM_F_DUMP);
  if (*target && text_number(target, &number) >= 0) add_number(&request, NETNSA_TARGET_NSID, (int32_t)number);
  if (*id && text_number(id, &number) >= 0) add_number(&request, NETNSA_NSID, (int32_t)number);
  long result = talk(fd, &request, 1);
  return result < 0 ? refuse(result, "the kernel does not list its ids") : 0;
}

int nsid_main(int count, char **words) {
  int fd = (int)sys(__NR_socket, 16 /* AF_NETLINK */, 3 /* SOCK_RAW */ | O_CLOEXEC, NETLINK_ROUTE), one = 1;
  if (fd < 0) return refuse(fd, "no rtnetlink here");
  /* without it the kernel takes no target for a dump (Linux 4.20) */
  sys(__NR_setsockopt, fd, 270 /* SOL_NETLINK */, NETLINK_GET_STRICT_CHK, &one, sizeof one);
  if (count >= 1 && text_equal(words[0], "get")) return get_ids(fd, count - 1, words + 1);
  if (count == 3 && text_equal(words[0], "set")) return set_id(fd, words[1], words[2]);
  if (count == 3 && text_equal(words[0], "dump")) return dump_ids(fd, words[1], words[2]);
  return refuse(0, "get FILE…, set FILE ID or dump TARGET ID");
}
