/* The classic BPF of seccomp filters (linux/filter.h), as far as brig's compiler writes it. */
#include "sys.h"
#include "watch.h"
#include <linux/filter.h>
#include <linux/seccomp.h>

static int load(const struct seccomp_data *data, uint32_t offset, uint32_t *word) {
  if (offset % 4 || offset > sizeof *data - 4) return -1;
  memcpy(word, (const char *)data + offset, sizeof *word);
  return 0;
}

/* Instructions that are skipped; -1: no compare that is known. */
static int skipped(const struct sock_filter *one, uint32_t a) {
  switch (one->code) {
    case BPF_JMP | BPF_JEQ | BPF_K: return a == one->k ? one->jt : one->jf;
    case BPF_JMP | BPF_JGT | BPF_K: return a > one->k ? one->jt : one->jf;
    case BPF_JMP | BPF_JGE | BPF_K: return a >= one->k ? one->jt : one->jf;
    case BPF_JMP | BPF_JSET | BPF_K: return a & one->k ? one->jt : one->jf;
    default: return -1;
  }
}

uint32_t filter_answer(const void *filter, uint32_t count, const void *seccomp_data) {
  struct sock_filter one;
  uint32_t a = 0;
  for (uint64_t at = 0; at < count; at++) {
    memcpy(&one, (const char *)filter + at * sizeof one, sizeof one);
    int skip = 0;
    switch (one.code) {
      case BPF_RET | BPF_K: return one.k;
      case BPF_LD | BPF_W | BPF_ABS: skip = load(seccomp_data, one.k, &a); break;
      case BPF_ALU | BPF_AND | BPF_K: a &= one.k; break;
      case BPF_JMP | BPF_JA: at += one.k; break;
      default: skip = skipped(&one, a);
    }
    if (skip < 0) return SECCOMP_RET_KILL_PROCESS;
    at += (uint32_t)skip;
  }
  return SECCOMP_RET_KILL_PROCESS;
}
