/*
 * The zygote: forks sandboxes for a program whose own fork would be slow. One loop that never blocks: what the client
 * sends is read while there is room for answers, and what the payloads write is read while the client gives credit.
 */
#include "zygote.h"
#include "run.h"
#include "signals.h"
#include "socket.h"
#include "status.h"
#include "sys.h"
#include "zygote_job.h"
#include <linux/eventpoll.h>
#include <linux/poll.h>
#include <linux/wait.h>

#define EVENTS 32

static struct job jobs[ZYGOTE_RUNS_MAX];
static int job_count; /* none above is used */
static int epoll_fd, signal_fd;

static _Noreturn void refuse(const char *what) {
  print(STDERR, "brig --zygote: ");
  print(STDERR, what);
  print(STDERR, "\n");
  zygote_leave(2);
}

/* --- a job's descriptors ----------------------------------------------------------------------------------------- */

/* Taken out with no events wanted: epoll reports a hang-up unasked. */
static void watch(struct job *job, int kind, int events) {
  struct epoll_event event = {(uint32_t)events, (uint64_t)(job - jobs) * JOB_KINDS + (uint64_t)kind};
  if (job->fds[kind] < 0 || job->watched[kind] == events) return;
  int how = !events ? EPOLL_CTL_DEL : job->watched[kind] ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  if (sys(__NR_epoll_ctl, epoll_fd, how, job->fds[kind], &event) < 0) refuse("epoll_ctl failed");
  job->watched[kind] = events;
}

/* Out of epoll first: a supervisor that was just forked may still hold a copy, which would keep it there. */
static void close_kind(struct job *job, int kind) {
  if (job->fds[kind] < 0) return;
  watch(job, kind, 0);
  sys_close(job->fds[kind]);
  job->fds[kind] = -1;
}

static void release(struct job *job) {
  answer(job, ZYGOTE_GONE, 0, 0);
  job_disarm(job);
  if (job->input) sys(__NR_munmap, job->input, ZYGOTE_STDIN_CREDIT);
  job->used = 0;
  while (job_count && !jobs[job_count - 1].used) job_count--;
}

static void tell_ends(struct job *job) {
  for (int i = 0; i < 2; i++)
    if (job->ended[i]) answer_number(job, ZYGOTE_END, (uint32_t)i + 1), job->ended[i] = 0;
}

/* A supervisor that said nothing of an end was killed, or is the payload itself. */
static void tell_end(struct job *job) {
  struct record_exited exited = {.status = job->status};
  if (!job->told_end && !job->detached) answer(job, ZYGOTE_EXITED, &exited, sizeof exited);
  job->told_end = 1;
  tell_ends(job);
}

static void settle(struct job *job) {
  if (job->pid || job->fds[JOB_CONTROL] >= 0) return;
  tell_end(job);
  close_kind(job, JOB_STDIN);
  if (job->fds[JOB_STDOUT] < 0 && job->fds[JOB_STDERR] < 0) release(job);
}

static void serve_control(struct job *job) {
  struct message message;
  int got = record_receive(job->fds[JOB_CONTROL], &message, 0);
  if (got == -EAGAIN) return;
  if (got <= 0) {
    close_kind(job, JOB_CONTROL);
    if (job->in_place && !job->told_end) answer(job, ZYGOTE_STARTED, 0, 0);
    return settle(job);
  }
  if (message.fd >= 0) sys_close(message.fd);
  if (message.record.type > RECORD_STOPPED || message.record.size > sizeof message.body) return;
  job->told_end |= message.record.type == RECORD_EXITED || message.record.type == RECORD_FAILED;
  answer(job, message.record.type + ZYGOTE_CREATED - RECORD_CREATED, message.body.bytes, message.record.size);
  if (job->told_end) tell_ends(job);
}

static void serve_output(struct job *job, int kind) {
  uint32_t *credit = &job->credit[kind - JOB_STDOUT];
  long n = sys_read(job->fds[kind], begin_frame(), *credit < ZYGOTE_DATA_MAX ? *credit : ZYGOTE_DATA_MAX);
  if (n == -EAGAIN || n == -EINTR) return;
  if (n > 0) {
    end_frame(job, kind == JOB_STDOUT ? ZYGOTE_STDOUT : ZYGOTE_STDERR, (size_t)n);
    *credit -= (uint32_t)n;
    if (!*credit) watch(job, kind, 0);
    return;
  }
  close_kind(job, kind);
  job->ended[kind - JOB_STDOUT] = 1;
  if (!job->parked || job->told_end) tell_ends(job);
  settle(job);
}

static void credit_written(struct job *job, long n) {
  job->input_written += (uint32_t)n;
  if (job->input_written < ZYGOTE_DATA_MAX) return;
  answer_number(job, ZYGOTE_STDIN_CREDITED, job->input_written);
  job->input_written = 0;
}

static void close_input(struct job *job) {
  close_kind(job, JOB_STDIN);
  if (!job->input_ends) answer_number(job, ZYGOTE_END, 0);
}

/* Bytes taken by the pipe: fewer than `size` when it is full, -EPIPE when the payload has closed it. */
static long write_input(struct job *job, const char *bytes, uint32_t size) {
  long n = sys_write(job->fds[JOB_STDIN], bytes, size);
  if (n == -EAGAIN || n == -EINTR) return 0;
  if (n < 0) close_input(job);
  else credit_written(job, n);
  return n;
}

static void serve_input(struct job *job, uint32_t events) {
  if (events & POLLERR) return close_input(job);
  long n = write_input(job, job->input + job->input_done, job->input_size);
  if (n < 0) return;
  job->input_done += (uint32_t)n;
  job->input_size -= (uint32_t)n;
  if (job->input_size) return;
  job->input_done = 0;
  if (job->input_ends) close_kind(job, JOB_STDIN);
  else watch(job, JOB_STDIN, POLLERR);
}

/* --- from the client --------------------------------------------------------------------------------------------- */

static struct job *find_job(uint32_t id) {
  for (int i = 0; i < job_count; i++)
    if (jobs[i].used && jobs[i].id == id) return &jobs[i];
  return 0;
}

static struct job *take_job(uint32_t id) {
  int i = 0;
  while (i < job_count && jobs[i].used) i++;
  if (i == ZYGOTE_RUNS_MAX) return 0;
  if (i == job_count) job_count++;
  jobs[i] = (struct job){.id = id, .used = 1, .arm = -1, .fds = {-1, -1, -1, -1}};
  return &jobs[i];
}

static void fail_start(uint32_t id, int error) {
  struct job nowhere = {.id = id};
  struct record_failed failed = {.step = SLOT_NONE, .error = error, .operation = "fork"};
  answer(&nowhere, ZYGOTE_FAILED, &failed, sizeof failed);
  answer(&nowhere, ZYGOTE_GONE, 0, 0);
}

static void note_flags(struct job *job, const void *plan, size_t size) {
  uint32_t flags = size >= sizeof(struct plan_header) ? ((const struct plan_header *)plan)->run_flags : 0;
  job->in_place = !!(flags & RUN_IN_PLACE);
  job->detached = !!(flags & RUN_DETACH);
}

static void start_job(uint32_t id, const char *body, size_t size) {
  const struct zygote_run *wanted = (const void *)body;
  if (size < sizeof *wanted || find_job(id)) refuse("a RUN that is too short, or whose number is taken");
  for (int i = 0; i < 3; i++)
    if (wanted->stdio[i] > (i == 2 ? ZYGOTE_SAME : ZYGOTE_INHERIT)) refuse("a RUN with unknown streams");
  if (wanted->parked > 1) refuse("a RUN that is parked in an unknown way");
  struct job *job = take_job(id);
  if (!job) return fail_start(id, EAGAIN);
  note_flags(job, wanted + 1, size - sizeof *wanted);
  int started = job_start(job, wanted, wanted + 1, size - sizeof *wanted);
  if (started < 0) {
    job->used = 0;
    return fail_start(id, -started);
  }
  job->parked = wanted->parked;
  memcpy(job->credit, wanted->credit, sizeof job->credit);
  watch(job, JOB_CONTROL, POLLIN);
  watch(job, JOB_STDIN, POLLERR);
  for (int i = 0; i < 2; i++) watch(job, JOB_STDOUT + i, job->credit[i] ? POLLIN : 0);
}

static void take_input(struct job *job, const char *bytes, uint32_t size) {
  if (job->fds[JOB_STDIN] < 0) return;
  if (job->input_ends) refuse("STDIN behind STDIN_END");
  long n = job->input_size ? 0 : write_input(job, bytes, size);
  if (n < 0 || n == (long)size) return;
  bytes += n;
  size -= (uint32_t)n;
  if (job->input_size + size > ZYGOTE_STDIN_CREDIT) refuse("STDIN beyond the credit");
  if (!job->input) job->input = (char *)sys(__NR_mmap, 0, ZYGOTE_STDIN_CREDIT, 3 /* read, write */, 0x22 /* private, anonymous */, -1, 0);
  if ((unsigned long)job->input > -4096ul) refuse("no memory");
  memmove(job->input, job->input + job->input_done, job->input_size);
  memcpy(job->input + job->input_size, bytes, size);
  job->input_done = 0;
  job->input_size += size;
  watch(job, JOB_STDIN, POLLOUT | POLLERR);
}

static void end_input(struct job *job) {
  job->input_ends = 1;
  if (!job->input_size) close_kind(job, JOB_STDIN);
}

static void take_credit(struct job *job, const struct zygote_credit *given) {
  if (given->stream != 1 && given->stream != 2) refuse("CREDIT for an unknown stream");
  uint32_t *credit = &job->credit[given->stream - 1];
  *credit = *credit + given->bytes < *credit ? UINT32_MAX : *credit + given->bytes;
  if (*credit) watch(job, JOB_STDOUT + (int)given->stream - 1, POLLIN);
}

static void steer(struct job *job, uint32_t type, const void *body, size_t size) {
  if (job->fds[JOB_CONTROL] >= 0) {
    /* a supervisor that is that far behind hears nothing but the end */
    if (record_send(job->fds[JOB_CONTROL], type, body, size) == -EAGAIN) close_kind(job, JOB_CONTROL), settle(job);
  } else if (job->pid && type == RECORD_SIGNAL) sys_kill(job->pid, ((const struct record_signal *)body)->signal);
}

static void kill_job(struct job *job) {
  struct record_signal signal = {SIGKILL, 1};
  if (job->in_place && job->pid) sys_kill(job->pid, SIGKILL);
  else steer(job, RECORD_SIGNAL, &signal, sizeof signal);
}

/* The supervisor hears of it only where it has a timeout to keep; the payload goes on meanwhile. */
static void arm_job(struct job *job, const char *body, size_t size) {
  struct zygote_arm arm;
  if (size < sizeof arm) refuse("an ARM that is too short");
  if (job->arm < 0) refuse("ARM for a run that does not wait for it");
  memcpy(&arm, body, sizeof arm);
  struct record_arm told = {arm.timeout_ms, arm.grace_ms, 0};
  if (arm.timeout_ms) steer(job, RECORD_ARM, &told, sizeof told);
  sys(__NR_sendto, job->arm, body, size, MSG_DONTWAIT | MSG_NOSIGNAL, 0, 0); /* one that died already is told as such */
  job_disarm(job);
}

static void close_job(struct job *job) {
  job_disarm(job);
  if (!job->detached) kill_job(job);
  for (int kind = 0; kind < JOB_KINDS && job->used; kind++) close_kind(job, kind);
  if (job->used) settle(job);
}

static void take_frame(const struct zygote_frame *frame, const char *body) {
  static const uint8_t sizes[] = {[ZYGOTE_CREDIT] = 8, [ZYGOTE_SIGNAL] = 8, [ZYGOTE_WINDOW] = 4, [ZYGOTE_CLOSE] = 0, [ZYGOTE_ARM] = 0};
  if (frame->type < ZYGOTE_STDIN || frame->type > ZYGOTE_ARM) refuse("a frame of an unknown type");
  if (frame->type != ZYGOTE_STDIN && frame->type != ZYGOTE_ARM && frame->size != sizes[frame->type]) refuse("a frame of the wrong size");
  struct job *job = find_job(frame->run);
  if (!job) return; /* its end was on the way */
  union { struct zygote_credit credit; struct record_signal signal; struct record_window window; } words;
  memcpy(&words, body, sizes[frame->type]);
  switch (frame->type) {
    case ZYGOTE_STDIN: return take_input(job, body, frame->size);
    case ZYGOTE_STDIN_END: return end_input(job);
    case ZYGOTE_CREDIT: return take_credit(job, &words.credit);
    case ZYGOTE_SIGNAL: return steer(job, RECORD_SIGNAL, &words.signal, sizeof words.signal);
    case ZYGOTE_KILL: return kill_job(job);
    case ZYGOTE_WINDOW: return steer(job, RECORD_WINDOW, &words.window, sizes[ZYGOTE_WINDOW]);
    case ZYGOTE_CLOSE: return close_job(job);
    case ZYGOTE_ARM: return arm_job(job, body, frame->size);
  }
}

/* What was received and is not understood yet: small frames as they are, a plan in memory of its own. */
static struct {
  size_t size;
  char bytes[2 * (sizeof(struct zygote_frame) + ZYGOTE_DATA_MAX)];
  struct zygote_frame large;
  char *body; /* 0: no plan is being received */
  size_t body_size;
} in;

static void begin_plan(const struct zygote_frame *frame, const char *bytes, size_t *used, size_t size) {
  if (frame->size > PLAN_MAX_SIZE + sizeof(struct zygote_run)) refuse("a plan that is too large");
  in.large = *frame;
  in.body = (char *)sys(__NR_mmap, 0, frame->size + 1ul, 3 /* read, write */, 0x22 /* private, anonymous */, -1, 0);
  if ((unsigned long)in.body > -4096ul) refuse("no memory");
  in.body_size = size < frame->size ? size : frame->size;
  memcpy(in.body, bytes, in.body_size);
  *used += in.body_size;
}

static void end_plan(void) {
  if (!in.body || in.body_size < in.large.size) return;
  start_job(in.large.run, in.body, in.large.size);
  sys(__NR_munmap, in.body, in.large.size + 1ul);
  in.body = 0;
}

/* One frame from what is there; 0 when there is not a whole one, or no room for what it may bring. */
static int take_one(size_t *used) {
  struct zygote_frame frame;
  size_t left = in.size - *used;
  if (left < sizeof frame || !has_room()) return 0;
  memcpy(&frame, in.bytes + *used, sizeof frame);
  const char *body = in.bytes + *used + sizeof frame;
  if (frame.type == ZYGOTE_RUN) {
    *used += sizeof frame;
    begin_plan(&frame, body, used, left - sizeof frame);
    end_plan();
    return !in.body;
  }
  if (frame.size > ZYGOTE_DATA_MAX) refuse("a frame that is too large");
  if (left < sizeof frame + frame.size) return 0;
  take_frame(&frame, body);
  *used += sizeof frame + frame.size;
  return 1;
}

static void take_frames(void) {
  size_t used = 0;
  end_plan();
  while (!in.body && take_one(&used)) {}
  memmove(in.bytes, in.bytes + used, in.size - used);
  in.size -= used;
}

static void read_client(void) {
  char *to = in.body ? in.body + in.body_size : in.bytes + in.size;
  size_t room = in.body ? in.large.size - in.body_size : sizeof in.bytes - in.size;
  long n = !room ? -EAGAIN : sys(__NR_recvfrom, ZYGOTE_SOCKET, to, room, MSG_DONTWAIT, 0, 0);
  if (n == -EAGAIN || n == -EINTR) return take_frames();
  if (n <= 0) zygote_leave(0);
  if (in.body) in.body_size += (size_t)n;
  else in.size += (size_t)n;
  take_frames();
}

/* --- the loop ---------------------------------------------------------------------------------------------------- */

static void reap(void) {
  int32_t status;
  int pid;
  while (has_room() && (pid = (int)sys(__NR_wait4, -1, &status, WNOHANG, 0)) > 0)
    for (int i = 0; i < job_count; i++)
      if (jobs[i].used && jobs[i].pid == pid) {
        jobs[i].pid = 0;
        jobs[i].status = status;
        settle(&jobs[i]);
        break;
      }
}

static void read_signals(void) {
  struct signalfd_siginfo info;
  while (signals_read(signal_fd, &info))
    if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGHUP) zygote_leave(0);
}

static void serve_jobs(void) {
  struct epoll_event events[EVENTS];
  long count = sys(__NR_epoll_pwait, epoll_fd, events, EVENTS, 0, 0, 0);
  for (long i = 0; i < count && has_room(); i++) {
    struct job *job = &jobs[events[i].data / JOB_KINDS];
    int kind = (int)(events[i].data % JOB_KINDS);
    if (!job->used || job->fds[kind] < 0) continue; /* closed by an event before it */
    if (kind == JOB_CONTROL) serve_control(job);
    else if (kind == JOB_STDIN) serve_input(job, events[i].events);
    else serve_output(job, kind);
  }
}

static void wait_once(void) {
  if (in.size && has_room()) take_frames(); /* those that had to wait for room */
  int room = has_room();
  short client = (short)((room ? POLLIN : 0) | (answers_wait() ? POLLOUT : 0));
  struct pollfd polls[] = {{ZYGOTE_SOCKET, client, 0}, {room ? epoll_fd : -1, POLLIN, 0}, {signal_fd, POLLIN, 0}};
  if (sys(__NR_ppoll, polls, array_size(polls), 0, 0, 0) < 0) return;
  if (polls[2].revents) read_signals();
  if (polls[1].revents) serve_jobs();
  if (room && polls[0].revents & (POLLIN | POLLHUP | POLLERR)) read_client();
  reap();
  answers_flush();
}

int zygote_main(void) {
  if (sys_fcntl(ZYGOTE_SOCKET, F_GETFD, 0) < 0) refuse("descriptor 3 must be the client's socket");
  signals_hold();
  job_prepare();
  epoll_fd = (int)sys(__NR_epoll_create1, O_CLOEXEC);
  signal_fd = signals_open();
  if (epoll_fd < 0 || signal_fd < 0) refuse("no descriptors left");
  for (;;) wait_once();
}
