/*
 * test_interrupt.c: the first signal is a question, the second ends the
 * process.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "interrupt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void the_first_is_noted(void **unused)
{
    (void)unused;
    static const int asked[] = {SIGINT, SIGTERM};
    for (int i = 0; i < 2; i++) {
        lip_interrupt interrupt;
        struct sigaction after;
        interrupt_begin(&interrupt);
        assert_false(interrupt_came());
        raise(asked[i]);
        assert_true(interrupt_came());
        interrupt_end(&interrupt);
        assert_int_equal(sigaction(asked[i], NULL, &after), 0);
        assert_true(after.sa_handler == SIG_DFL);
    }
}

static void the_second_ends(void **unused)
{
    (void)unused;
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        lip_interrupt interrupt;
        interrupt_begin(&interrupt);
        raise(SIGINT);
        raise(SIGINT);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
}

/* Of either kind; the file is gone. */
static void the_second_clears_up(void **unused)
{
    (void)unused;
    char path[] = "/tmp/lipaudit-interrupt-XXXXXX";
    int status, file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        lip_interrupt interrupt;
        interrupt_begin(&interrupt);
        interrupt_removes(path);
        raise(SIGINT);
        if (access(path, F_OK) == 0)
            raise(SIGTERM);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void ignored_stays_ignored(void **unused)
{
    (void)unused;
    lip_interrupt interrupt;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGINT, &ignore, &before);
    interrupt_begin(&interrupt);
    raise(SIGINT);
    assert_false(interrupt_came());
    interrupt_end(&interrupt);
    sigaction(SIGINT, &before, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_is_noted),
        cmocka_unit_test(the_second_ends),
        cmocka_unit_test(the_second_clears_up),
        cmocka_unit_test(ignored_stays_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
