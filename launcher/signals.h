/* Signals as descriptors: everything is held back by the mask and read when the launcher is ready for it. */
#ifndef BRIG_SIGNALS_H
#define BRIG_SIGNALS_H

#include <asm/signal.h>
#include <linux/signalfd.h>
#include <stdint.h>

#define SIGNAL_FROM_TERMINAL 0x80 /* si_code SI_KERNEL: typed at the terminal, so the whole group has got it */

/* Holds back every signal. The mask that the caller started the launcher with is remembered. 0 or -errno. */
int signals_hold(void);

/* Gives the caller's mask back, for a program that is about to be executed. */
void signals_release(void);

/* A non-blocking descriptor that reads held signals as struct signalfd_siginfo; -errno. */
int signals_open(void);

/* The next one in `fd`; 0 when there is none. */
int signals_read(int fd, struct signalfd_siginfo *info);

/* Lets this one signal through for a moment, with what it does by default. */
void signals_let_through(int signal);

/* Throws away one that is pending. */
void signals_discard(int signal);

/* Waits for any of them. */
int signals_wait(struct signalfd_siginfo *info);

/* Runs `restore` before the launcher dies of a fault of its own. */
void signals_on_fault(void (*restore)(void));

#endif
