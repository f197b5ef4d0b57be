/*
 * interrupt.c: Ctrl-C and SIGTERM as a question.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "interrupt.h"

#include <stddef.h>
#include <unistd.h>

static const int asked[] = {SIGINT, SIGTERM};

/* The state that is shared: a signal handler can reach nothing else. */
static volatile sig_atomic_t came;
static const char *volatile litter;

static void note(int number)
{
    if (!came) {
        came = 1;
        return;
    }
    if (litter)
        unlink(litter);
    signal(number, SIG_DFL);
    raise(number);
}

void interrupt_begin(lip_interrupt *interrupt)
{
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    came = 0;
    litter = NULL;
    for (int i = 0; i < 2; i++) {
        sigaction(asked[i], NULL, &interrupt->before[i]);
        if (interrupt->before[i].sa_handler != SIG_IGN) /* nohup and background jobs of a script stay deaf */
            sigaction(asked[i], &action, NULL);
    }
}

void interrupt_removes(const char *file)
{
    litter = file;
}

bool interrupt_came(void)
{
    return came != 0;
}

void interrupt_end(const lip_interrupt *interrupt)
{
    litter = NULL;
    for (int i = 0; i < 2; i++)
        sigaction(asked[i], &interrupt->before[i], NULL);
}
