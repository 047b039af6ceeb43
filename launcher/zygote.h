/*
 * The zygote's protocol: `brig --zygote`, spoken over the stream socket that is its descriptor 3, as Node's spawn makes
 * it by stdio: ["ignore" or "inherit", 1, 2, "pipe"] (Node can't read from a child's descriptor 0).
 *
 * Both sides send frames, little-endian: struct zygote_frame, then `size` bytes (the 12 bytes of the frame itself not
 * counted). `run` is a number that the client chooses; it names the run until ZYGOTE_GONE has come, then it is free
 * again. Frames of one run stay in order.
 *
 * Client to zygote
 *     RUN         struct zygote_run, then the plan (no prefix): starts a sandbox
 *     STDIN       bytes for the payload's standard input, at most ZYGOTE_DATA_MAX a frame and never beyond the
 *                 client's credit, which is ZYGOTE_STDIN_CREDIT at the start and grows with STDIN_CREDIT
 *     STDIN_END   closes it, when what was sent before has been written
 *     CREDIT      u32 stream (1 or 2), u32 bytes: that many more of its bytes may be sent
 *     SIGNAL      i32 signal, u32 group: to the payload, or its process group when group is 1
 *     KILL        nothing: SIGKILL to all of the sandbox
 *     WINDOW      u16 rows, u16 columns: the size of the payload's terminal (a plan with OP_PTY)
 *     ARM         struct zygote_arm and its strings, once, to a run that was started as parked: it executes this now
 *     CLOSE       nothing: the client is not interested any more. The sandbox is killed (unless detached), its
 *                 streams are closed; GONE still comes
 *
 * Zygote to client
 *     CREATED, STARTED, STOPPED, EXITED, FAILED   the bodies of plan.h's records, and nothing for STARTED. After
 *                 FAILED no EXITED comes. A plan that cannot be read is FAILED with step 0xffffffff and operation
 *                 "plan". With RUN_DETACH nothing comes behind STARTED but GONE, and the sandbox lives on
 *     STDOUT, STDERR   bytes, at most ZYGOTE_DATA_MAX a frame, never beyond the credit
 *     END         u32 stream: 0: the payload has closed its input, more of it is thrown away; 1, 2: the last byte
 *                 has been sent
 *     STDIN_CREDIT     u32 bytes: that many more may be sent
 *     GONE        nothing: every process of the launcher for it is reaped, every pipe closed; always the last one
 *
 * CREATED comes first and STARTED before EXITED; output may come before STARTED. END and EXITED come in any order; a sandbox that leaves a process behind holding its output (only possible without
 * a pid namespace of its own) has EXITED before END.
 *
 * ZYGOTE_PIPE streams are pipes; NULL is /dev/null; INHERIT is the zygote's own descriptor 0, 1 or 2. SAME, for
 * standard error: where standard output goes.
 *
 * A parked run is made up to its exec and waits there, behind all its walls, for ARM: with the candidates, arguments and
 * environment of that instead of the plan's, and its timeout, which begins then. CREATED comes while it waits, no
 * STARTED comes, and END with EXITED or behind it. Its EXITED comes when nothing in it lives any more, which may be before it is removed from the host; GONE
 * is behind that as ever. It must have an init as pid 1 that no INIT step tells from the payload, and cannot be detached.
 *
 * When the socket closes, every sandbox is killed but the detached ones, and the zygote leaves with 0. A frame
 * against the protocol ends it the same way with exit code 2.
 */
#ifndef BRIG_ZYGOTE_H
#define BRIG_ZYGOTE_H

#include <stdint.h>

#define ZYGOTE_DATA_MAX 16384u
#define ZYGOTE_STDIN_CREDIT 65536u
#define ZYGOTE_SOCKET 3
#define ZYGOTE_RUNS_MAX 2048 /* at once; one more is FAILED with EAGAIN */

struct zygote_frame { uint32_t size, type, run; };

/* Client to zygote. */
enum {
  ZYGOTE_RUN = 1,
  ZYGOTE_STDIN = 2,
  ZYGOTE_STDIN_END = 3,
  ZYGOTE_CREDIT = 4,
  ZYGOTE_SIGNAL = 5,
  ZYGOTE_KILL = 6,
  ZYGOTE_WINDOW = 7,
  ZYGOTE_CLOSE = 8,
  ZYGOTE_ARM = 9,
};

/* Zygote to client. */
enum {
  ZYGOTE_CREATED = 33,
  ZYGOTE_STARTED = 34,
  ZYGOTE_EXITED = 35,
  ZYGOTE_FAILED = 36,
  ZYGOTE_STOPPED = 37,
  ZYGOTE_STDOUT = 65,
  ZYGOTE_STDERR = 66,
  ZYGOTE_END = 67,
  ZYGOTE_STDIN_CREDITED = 68,
  ZYGOTE_GONE = 69,
};

enum { ZYGOTE_PIPE = 0, ZYGOTE_NULL = 1, ZYGOTE_INHERIT = 2, ZYGOTE_SAME = 3 };

struct zygote_run {
  uint8_t stdio[3];   /* ZYGOTE_PIPE… for descriptors 0, 1, 2 */
  uint8_t parked;     /* 1: waits for ARM */
  uint32_t credit[2]; /* bytes that may be sent at once of standard output and standard error */
};

struct zygote_credit { uint32_t stream, bytes; };

struct zygote_arm {
  uint64_t timeout_ms; /* 0: none */
  uint32_t grace_ms;
  uint32_t counts[3];  /* of candidates, arguments, variables: that many strings follow, each with its NUL */
};

#endif
