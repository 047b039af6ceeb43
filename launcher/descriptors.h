/* Descriptors: who keeps which. */
#ifndef BRIG_DESCRIPTORS_H
#define BRIG_DESCRIPTORS_H

/*
 * Moves those that are not -1 to lowest, lowest + 1 … in their order and closes every other one from `lowest` on, also
 * where one of them is -1. 0, or -errno with each of them still open somewhere.
 */
int keep_only(int *const *kept, int count, int lowest);

#endif
