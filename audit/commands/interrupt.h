/*
 * interrupt.h: Ctrl-C and SIGTERM as a question, so that hours of work end
 * with what was done so far.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_AUDIT_INTERRUPT_H
#define LIP_AUDIT_INTERRUPT_H

#include <signal.h>
#include <stdbool.h>

typedef struct lip_interrupt {
    struct sigaction before[2];
} lip_interrupt;

/* From here the first SIGINT or SIGTERM is noted, and a second one ends the process as ever. */
void interrupt_begin(lip_interrupt *interrupt);
void interrupt_removes(const char *file); /* what the second one unlinks; borrowed until interrupt_end, may be "" */
bool interrupt_came(void);
void interrupt_end(const lip_interrupt *interrupt); /* as it was before */

#endif
