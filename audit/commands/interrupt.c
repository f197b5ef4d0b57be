/*
 * interrupt.c: Ctrl-C and SIGTERM as a question.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "interrupt.h"

#include <stddef.h>

static const int asked[] = {SIGINT, SIGTERM};

/* The one state that is shared: a signal handler can reach nothing else. */
static volatile sig_atomic_t came;

static void note(int number)
{
    (void)number;
    came = 1;
}

void interrupt_begin(lip_interrupt *interrupt)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = (int)SA_RESETHAND | SA_RESTART};
    sigemptyset(&action.sa_mask);
    came = 0;
    for (int i = 0; i < 2; i++) {
        sigaction(asked[i], NULL, &interrupt->before[i]);
        if (interrupt->before[i].sa_handler != SIG_IGN) /* nohup and background jobs of a script stay deaf */
            sigaction(asked[i], &action, NULL);
    }
}

bool interrupt_came(void)
{
    return came != 0;
}

void interrupt_end(const lip_interrupt *interrupt)
{
    for (int i = 0; i < 2; i++)
        sigaction(asked[i], &interrupt->before[i], NULL);
}
