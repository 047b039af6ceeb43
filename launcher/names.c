/*
 * Names of the members of a sandbox's networks (RFC 1035), as folders say them (serve.h). All other questions are
 * handed to the host's resolvers as they are, each from a socket of its own, and their answers back.
 */
#include "run.h"
#include "serve.h"
#include "socket.h"
#include "sys.h"

#define HEADER 12
#define NAME_MAX 254
#define ADDRESSES_MAX 24
#define QUESTIONS_MAX 64
#define QUESTION_MAX 512
#define PATIENCE_MS 1500
#define TRIES_MAX 3
#define TTL 5
enum { TYPE_A = 1, TYPE_PTR = 12, TYPE_AAAA = 28, TYPE_ANY = 255 };
enum { CODE_OK = 0, CODE_FAILED = 2, CODE_NO_NAME = 3 };

struct question { char name[NAME_MAX]; uint16_t type; size_t end; };

static uint16_t number_at(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }

/* In small letters. Whatever else a label holds than host names do makes it nobody's here: it becomes "/". */
static int read_question(const uint8_t *bytes, size_t size, struct question *question) {
  size_t at = HEADER, n = 0;
  if (size < HEADER + 5 || bytes[2] & 0xf8 || number_at(bytes + 4) != 1) return -1;
  while (at < size && bytes[at]) {
    size_t length = bytes[at++];
    if (length > 63 || at + length >= size || n + length + 2 > NAME_MAX) return -1;
    if (n) question->name[n++] = '.';
    for (; length; length--, at++) {
      uint8_t c = bytes[at] >= 'A' && bytes[at] <= 'Z' ? bytes[at] | 32 : bytes[at];
      int plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
      question->name[n++] = plain ? (char)c : '/';
    }
  }
  question->name[n] = 0;
  if (at + 5 > size) return -1;
  question->type = number_at(bytes + at + 1);
  question->end = at + 5;
  return number_at(bytes + at + 3) == 1 /* IN */ ? 0 : -1;
}

/* --- folders ----------------------------------------------------------------------------------------------------- */

struct entry { uint64_t ino, off; uint16_t length; uint8_t type; char name[]; };

/* Calls `each` with the names in a folder until it returns other than 0. */
static int list_folder(int folder, int (*each)(int folder, const char *name, void *to), void *to) {
  static char rooms[2][4096] __attribute__((aligned(8)));
  static int depth;
  char *room = rooms[depth++ & 1];
  int result = 0;
  for (long n; !result && (n = sys(__NR_getdents64, folder, room, sizeof rooms[0])) > 0;)
    for (long at = 0; at < n && !result; at += ((struct entry *)(room + at))->length) {
      const char *name = ((struct entry *)(room + at))->name;
      if (name[0] != '.') result = each(folder, name, to);
    }
  depth--;
  return result;
}

struct found { const char *name; union place addresses[ADDRESSES_MAX]; int count, known; char text[NAME_MAX]; };

static int add_address(int folder unused, const char *name, void *to) {
  struct found *found = to;
  if (found->count < ADDRESSES_MAX && place_read(&found->addresses[found->count], name) >= 0) found->count++;
  return 0;
}

static void look_up(struct found *found, int network, const char *name) {
  int folder = sys_openat(network, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
  if (folder < 0) return;
  found->known = 1;
  list_folder(folder, add_address, found);
  sys_close(folder);
}

static int is_clean(const char *name) {
  if (!*name || *name == '.' || *name == '@') return 0;
  for (; *name; name++)
    if (*name == '/') return 0;
  return 1;
}

/* "db", and "db.NETWORK" */
static int look_in_network(int folder, const char *network, void *to) {
  struct found *found = to;
  char name[NAME_MAX];
  int names = sys_openat(folder, network, O_RDONLY | O_DIRECTORY, 0);
  if (names < 0) return 0;
  look_up(found, names, found->name);
  size_t whole = text_copy(name, sizeof name, found->name), end = strlen(network);
  if (whole > end + 1 && name[whole - end - 1] == '.' && text_equal(name + whole - end, network)) {
    name[whole - end - 1] = 0;
    look_up(found, names, name);
  }
  sys_close(names);
  return 0;
}

static int look_for_address(int folder, const char *network, void *to) {
  struct found *found = to;
  int names = sys_openat(folder, network, O_RDONLY | O_DIRECTORY, 0);
  if (names < 0) return 0;
  int file = sys_openat(names, found->name, O_RDONLY | O_NOFOLLOW, 0);
  sys_close(names);
  if (file < 0) return 0;
  long n = read_up_to(file, found->text, sizeof found->text - 1);
  sys_close(file);
  while (n > 0 && found->text[n - 1] == '\n') n--;
  found->text[n > 0 ? n : 0] = 0;
  return found->known = n > 0;
}

static void look_everywhere(struct found *found, int (*each)(int, const char *, void *)) {
  char path[80] = ".of/";
  text_append(path, sizeof path, service.id);
  int folder = sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
  if (folder < 0) return;
  list_folder(folder, each, found);
  sys_close(folder);
}

/* "5.0.210.10.in-addr.arpa" to "@4.0ad20005", nibbles of ip6.arpa to "@6.…"; 0 when it is neither. */
static int read_reverse(const char *name, char *to) {
  static const char v4[] = ".in-addr.arpa", v6[] = ".ip6.arpa", digits[] = "0123456789abcdef";
  size_t size = strlen(name), n = 0;
  int is4 = size > sizeof v4 && text_equal(name + size - sizeof v4 + 1, v4);
  int is6 = size == 63 + sizeof v6 - 1 && text_equal(name + 63, v6);
  if (!is4 && !is6) return 0;
  text_copy(to, 4, is4 ? "@4." : "@6.");
  size_t end = size - (is4 ? sizeof v4 : sizeof v6) + 1;
  char *out = to + 3 + (is4 ? 8 : 32);
  *out = 0;
  for (size_t at = 0; at < end; n++) {
    unsigned value = 0;
    size_t start = at;
    for (; at < end && name[at] != '.'; at++) value = is4 ? value * 10 + (unsigned)(name[at] - '0') : (unsigned)(name[at] <= '9' ? name[at] - '0' : name[at] - 'a' + 10);
    if (at == start || at - start > 3 || value > (is4 ? 255 : 15) || n == (is4 ? 4 : 32)) return 0;
    if (is4) *--out = digits[value & 15], *--out = digits[value >> 4];
    else *--out = digits[value];
    at++;
  }
  return n == (is4 ? 4 : 32);
}

/* --- answers ----------------------------------------------------------------------------------------------------- */

static size_t put_record(uint8_t *to, uint16_t type, const uint8_t *data, size_t size) {
  uint8_t head[12] = {0xc0, HEADER, (uint8_t)(type >> 8), (uint8_t)type, 0, 1, 0, 0, 0, TTL, (uint8_t)(size >> 8), (uint8_t)size};
  memcpy(to, head, sizeof head);
  memcpy(to + sizeof head, data, size);
  return sizeof head + size;
}

static size_t encode_name(uint8_t *to, const char *name) {
  size_t at = 0;
  while (*name) {
    size_t length = 0;
    while (name[length] && name[length] != '.' && length < 63) length++;
    to[at++] = (uint8_t)length;
    memcpy(to + at, name, length);
    at += length, name += length;
    if (*name == '.') name++;
  }
  to[at++] = 0;
  return at;
}

static size_t start_answer(const uint8_t *bytes, size_t end, uint8_t *answer, int code) {
  memcpy(answer, bytes, end);
  answer[2] = (uint8_t)(0x84 | (bytes[2] & 1)); /* an answer, authoritative; recursion desired as it was asked */
  answer[3] = (uint8_t)(0x80 | code);
  memset(answer + 6, 0, 6);
  return end;
}

static int answer_addresses(const struct found *found, const struct question *question, const uint8_t *bytes, uint8_t *answer) {
  size_t size = start_answer(bytes, question->end, answer, CODE_OK);
  for (int i = 0; i < found->count; i++) {
    const union place *place = &found->addresses[i];
    int inet = place->family == INET;
    if (question->type != TYPE_ANY && question->type != (inet ? TYPE_A : TYPE_AAAA)) continue;
    size += put_record(answer + size, inet ? TYPE_A : TYPE_AAAA, inet ? place->v4.address : place->v6.address, inet ? 4 : 16);
    answer[7]++;
  }
  return (int)size;
}

static int answer_name(const char *name, const struct question *question, const uint8_t *bytes, uint8_t *answer) {
  uint8_t encoded[NAME_MAX + 2];
  size_t size = start_answer(bytes, question->end, answer, CODE_OK);
  answer[7] = 1;
  return (int)(size + put_record(answer + size, TYPE_PTR, encoded, encode_name(encoded, name)));
}

int names_answer(const uint8_t *bytes, size_t size, uint8_t *answer, size_t room) {
  static struct found found;
  struct question question;
  char reverse[48];
  if (size > QUESTION_MAX || room < 2048 || read_question(bytes, size, &question) < 0) return -1;
  memset(&found, 0, sizeof found);
  found.name = question.name;
  if (is_clean(question.name)) look_everywhere(&found, look_in_network);
  if (found.known) return answer_addresses(&found, &question, bytes, answer);
  if (question.type == TYPE_PTR && read_reverse(question.name, reverse)) {
    found.name = reverse;
    look_everywhere(&found, look_for_address);
    if (found.known) return answer_name(found.text, &question, bytes, answer);
  }
  /* a network without a way out has none through questions either */
  return service.server_count ? 0 : (int)start_answer(bytes, question.end, answer, CODE_NO_NAME);
}

/* --- questions that are handed on -------------------------------------------------------------------------------- */

struct handed {
  struct source server;
  union place client;
  uint16_t id;
  int tries;
  uint64_t asked;
  size_t size;
  uint8_t question[QUESTION_MAX];
};
static struct handed handed[QUESTIONS_MAX];
static uint8_t answer_room[65536];

static void answer_client(const union place *client, const uint8_t *bytes, size_t size) {
  sys(__NR_sendto, 4, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT, client, place_size(client));
}

static void server_ready(struct source *source, uint32_t events);

/* From a port that the kernel draws, with a number that is drawn too: nobody else can answer. */
static int ask_server(struct handed *question) {
  union place server = service.servers[question->tries % service.server_count];
  place_port(&server, 53);
  if (question->tries++) source_close(&question->server);
  question->asked = clock_ms();
  question->server.watched = 0;
  question->server.ready = server_ready;
  question->server.fd = (int)sys(__NR_socket, server.family, DATAGRAM | NONBLOCK | CLOSED_EXEC, 0);
  if (question->server.fd < 0 || sys(__NR_connect, question->server.fd, &server, place_size(&server)) < 0) return -1;
  if (sys(__NR_getrandom, question->question, 2, 0) != 2 || source_watch(&question->server, EPOLLIN) < 0) return -1;
  return sys(__NR_sendto, question->server.fd, question->question, question->size, MSG_NOSIGNAL, 0, 0) < 0 ? -1 : 0;
}

static void give_up(struct handed *question) {
  uint8_t failed[QUESTION_MAX];
  source_close(&question->server);
  struct question read;
  question->question[0] = (uint8_t)(question->id >> 8), question->question[1] = (uint8_t)question->id;
  if (read_question(question->question, question->size, &read) >= 0) answer_client(&question->client, failed, start_answer(question->question, read.end, failed, CODE_FAILED));
  question->size = 0;
}

/* The next resolver that can be asked at all, or none. */
static void ask_some(struct handed *question) {
  while (question->tries < TRIES_MAX)
    if (ask_server(question) >= 0) return;
  give_up(question);
}

static void server_ready(struct source *source, uint32_t events unused) {
  struct handed *question = (struct handed *)source;
  long n = sys(__NR_recvfrom, source->fd, answer_room, sizeof answer_room, MSG_DONTWAIT, 0, 0);
  if (n < 0) return ask_some(question); /* nobody listens there (ICMP) */
  if (n < HEADER || memcmp(answer_room, question->question, 2) || !(answer_room[2] & 0x80)) return;
  answer_room[0] = (uint8_t)(question->id >> 8), answer_room[1] = (uint8_t)question->id;
  answer_client(&question->client, answer_room, (size_t)n);
  source_close(source);
  question->size = 0;
}

int names_tick(void) {
  uint64_t now = clock_ms();
  int wait = -1;
  for (struct handed *question = handed; question < handed + QUESTIONS_MAX; question++) {
    if (!question->size) continue;
    if (now - question->asked >= PATIENCE_MS) ask_some(question);
    wait = 250;
  }
  return wait;
}

static void hand_on(const union place *client, const uint8_t *bytes, size_t size) {
  struct handed *question = handed;
  while (question < handed + QUESTIONS_MAX && question->size) question++;
  if (question == handed + QUESTIONS_MAX) return; /* the asker asks again */
  question->client = *client;
  question->id = number_at(bytes);
  question->tries = 0;
  question->size = size;
  memcpy(question->question, bytes, size);
  ask_some(question);
}

void names_datagram(struct source *source, uint32_t events unused) {
  static uint8_t question[QUESTION_MAX], answer[4096];
  union place client;
  int client_size = sizeof client;
  memset(&client, 0, sizeof client);
  long n = sys(__NR_recvfrom, source->fd, question, sizeof question, MSG_DONTWAIT, &client, &client_size);
  int answered = n < HEADER ? -1 : names_answer(question, (size_t)n, answer, sizeof answer);
  if (answered > 0) answer_client(&client, answer, (size_t)answered);
  else if (answered == 0) hand_on(&client, question, (size_t)n);
}
