/* What the zygote has to say and its client has not taken yet. */
#include "socket.h"
#include "sys.h"
#include "zygote_job.h"

#define SMALL_FRAMES 2048 /* all that one event may bring beside data */

_Noreturn void zygote_leave(int code) { sys_exit(code); }

static struct { size_t done, size; char bytes[4 * (ZYGOTE_DATA_MAX + SMALL_FRAMES)]; } out;

void answers_flush(void) {
  while (out.done < out.size) {
    long n = sys(__NR_sendto, ZYGOTE_SOCKET, out.bytes + out.done, out.size - out.done, MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0);
    if (n == -EINTR) continue;
    if (n == -EAGAIN) break;
    if (n < 0) zygote_leave(0);
    out.done += (size_t)n;
  }
  if (out.done && out.done < out.size) memmove(out.bytes, out.bytes + out.done, out.size - out.done);
  out.size -= out.done;
  out.done = 0;
}

int has_room(void) {
  if (sizeof out.bytes - out.size < ZYGOTE_DATA_MAX + SMALL_FRAMES) answers_flush();
  return sizeof out.bytes - out.size >= ZYGOTE_DATA_MAX + SMALL_FRAMES;
}

char *begin_frame(void) { return out.bytes + out.size + sizeof(struct zygote_frame); }

void end_frame(const struct job *job, uint32_t type, size_t size) {
  struct zygote_frame frame = {(uint32_t)size, type, job->id};
  memcpy(out.bytes + out.size, &frame, sizeof frame);
  out.size += sizeof frame + size;
}

void answer(const struct job *job, uint32_t type, const void *body, size_t size) {
  memcpy(begin_frame(), body, size);
  end_frame(job, type, size);
}

void answer_number(const struct job *job, uint32_t type, uint32_t number) { answer(job, type, &number, sizeof number); }

int answers_wait(void) { return out.size > 0; }
