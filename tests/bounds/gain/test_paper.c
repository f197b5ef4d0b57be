/*
 * test_paper.c: the paper's closed forms: by hand, and as bounds of the exact
 * count of windows that share an input, where they apply.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "sample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void check_overlap(void **unused)
{
    (void)unused;
    for (int64_t n = 1; n <= 12; n++)
        for (int64_t k = 1; k <= 6; k++)
            for (int64_t s = 1; s <= 4; s++)
                for (int64_t pad = 0; pad < k; pad++) {
                    if (n + 2 * pad < k)
                        continue;
                    int64_t outputs = (n + 2 * pad - k) / s + 1, most = 0;
                    for (int64_t q = 0; q < n; q++) {
                        int64_t windows = 0;
                        for (int64_t o = 0; o < outputs; o++)
                            windows += q >= o * s - pad && q < o * s - pad + k;
                        most = windows > most ? windows : most;
                    }
                    double overlap = lip_paper_overlap(1, &n, &k, &s, &pad);
                    assert_true(overlap >= (double)most);
                    assert_true(overlap == ceil(fmin((double)k, (double)(n + 2 * pad - k + 1)) / (double)s));
                }
    const int64_t n[] = { 28, 28 }, k[] = { 4, 3 }, stride[] = { 2, 2 }, pad[] = { 1, 1 };
    assert_true(lip_paper_overlap(2, n, k, stride, pad) == 4);
}

static lip_value from = { .name = "x", .shape = { .rank = 4, .dim = { 1, 3, 28, 28 } } };
static lip_value *inputs[] = { &from };

static void check_pooling(void **unused)
{
    (void)unused;
    const int64_t kernel[] = { 3, 3 }, strides[] = { 2, 2 }, twos[] = { 2, 2 };
    lip_attr attrs[] = { { .name = "kernel_shape", .kind = LIP_ATTR_INTS, .count = 2, .ints = kernel },
                         { .name = "strides", .kind = LIP_ATTR_INTS, .count = 2, .ints = strides },
                         { .name = "dilations", .kind = LIP_ATTR_INTS, .count = 2, .ints = twos } };
    lip_node node = { .name = "pool", .op_type = "MaxPool", .domain = "", .module = "", .inputs = inputs,
                      .input_count = 1, .attrs = attrs, .attr_count = 2 };
    assert_true(lip_paper_pooling(&node, false) == 2); /* two windows a dimension */
    assert_true(isnan(lip_paper_pooling(&node, true))); /* no average */
    node.op_type = "AveragePool";
    double average = lip_paper_pooling(&node, true);
    assert_true((long double)average >= 2 / 3.0L && average < 0.6666666667);
    node.op_type = "MaxPool";
    node.attr_count = 3;
    assert_true(isnan(lip_paper_pooling(&node, false))); /* dilated */
    node.attr_count = 0;
    assert_true(isnan(lip_paper_pooling(&node, false))); /* no window */
    node.attr_count = 2;
    node.input_count = 0;
    assert_true(isnan(lip_paper_pooling(&node, false)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_overlap),
        cmocka_unit_test(check_pooling),
    };
    return cmocka_run_group_tests_name("gain paper", tests, NULL, NULL);
}
