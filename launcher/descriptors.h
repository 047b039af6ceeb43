/* Descriptors: who keeps which. */
#ifndef BRIG_DESCRIPTORS_H
#define BRIG_DESCRIPTORS_H

/*
 * Moves those that are not -1 to lowest, lowest + 1 … in their order and closes every other one from `lowest` on, also
 * where one of them is -1. A process that is out of descriptors ends.
 */
void keep_only(int *const *kept, int count, int lowest);

#endif
