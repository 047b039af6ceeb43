/* A checked plan in memory, and how its parts are read. */
#ifndef BRIG_PLAN_VIEW_H
#define BRIG_PLAN_VIEW_H

#include "plan.h"
#include <stddef.h>

struct plan {
  const struct plan_header *header;
  const struct plan_step *steps;
  const struct plan_witness *witnesses;
  const char *data;
};

/* Holds the whole of a plan against its format; what is wrong as "cut short", or 0 and `plan` filled. */
const char *plan_check(struct plan *plan, const void *memory, size_t size);

void *memcpy(void *to, const void *from, size_t size);

static inline uint32_t plan_u32(const struct plan *plan, uint32_t offset) {
  uint32_t value; /* data is not aligned */
  memcpy(&value, plan->data + offset, sizeof value);
  return value;
}
static inline const char *plan_string(const struct plan *plan, uint32_t offset) { return plan->data + offset; }
static inline uint32_t plan_list_count(const struct plan *plan, uint32_t offset) { return plan_u32(plan, offset); }
static inline const char *plan_list_string(const struct plan *plan, uint32_t offset, uint32_t index) {
  return plan->data + plan_u32(plan, offset + 4 + 4 * index);
}

#endif
