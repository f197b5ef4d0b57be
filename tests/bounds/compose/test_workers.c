/*
 * test_workers.c: every job is run exactly once, for any number of threads.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "compose/workers.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { JOBS = 500 };

typedef struct tally {
    atomic_int runs[JOBS], started;
    atomic_int first; /* the index that was taken first */
    pthread_t caller;
    atomic_bool only_caller;
} tally;

static void job(void *context, size_t index)
{
    tally *t = context;
    if (atomic_fetch_add(&t->started, 1) == 0)
        atomic_store(&t->first, (int)index);
    atomic_fetch_add(&t->runs[index], 1);
    if (!pthread_equal(pthread_self(), t->caller))
        t->only_caller = false;
}

static void check_once(void **unused)
{
    (void)unused;
    static size_t order[JOBS];
    for (size_t i = 0; i < JOBS; i++)
        order[i] = JOBS - 1 - i;
    for (int threads = -1; threads <= 8; threads++)
        for (size_t count = 0; count <= JOBS; count = count * 3 + 1) {
            static tally t;
            memset(&t, 0, sizeof t);
            t.caller = pthread_self();
            lip_run_jobs(job, &t, order, count, threads);
            for (size_t i = 0; i < JOBS; i++)
                assert_int_equal(atomic_load(&t.runs[i]), i + count >= JOBS ? 1 : 0);
        }
}

static void check_order(void **unused)
{
    (void)unused;
    const size_t order[] = { 7, 3, 9 };
    static tally t;
    t.caller = pthread_self();
    t.only_caller = true;
    lip_run_jobs(job, &t, order, 3, 1);
    assert_true(atomic_load(&t.first) == 7 && t.only_caller);
}

static void check_many_threads(void **unused)
{
    (void)unused;
    static size_t order[JOBS];
    static tally t;
    for (size_t i = 0; i < JOBS; i++)
        order[i] = i;
    t.caller = pthread_self();
    lip_run_jobs(job, &t, order, JOBS, 100000); /* far more than there may be */
    for (size_t i = 0; i < JOBS; i++)
        assert_int_equal(atomic_load(&t.runs[i]), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_once),
        cmocka_unit_test(check_order),
        cmocka_unit_test(check_many_threads),
    };
    return cmocka_run_group_tests_name("workers", tests, NULL, NULL);
}
