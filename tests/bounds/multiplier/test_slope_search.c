/*
 * test_slope_search.c: slopes that only samples lead to, of a network with a
 * steep region far from the origin.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"
#include "multiplier/slope_search.h"

#include <math.h>

enum { FEATURES = 6 };

/* y = (x_0 + 30 relu(x_1 - 1000), x_2): slope 1 below x_1 = 1000, sqrt(1 + 900) above. */
static lip_model *open_model(build **b)
{
    double pick[FEATURES] = { 0, 1 }, bias[1] = { -1000 }, steep[2] = { 30, 0 }, plain[FEATURES * 2] = { 0 };
    plain[0 * 2 + 0] = 1;
    plain[2 * 2 + 1] = 1;
    *b = build_new(17);
    build_input(*b, "x", "1x6");
    build_reals(*b, "pick", "6x1", pick);
    build_reals(*b, "bias", "1", bias);
    build_reals(*b, "steep", "1x2", steep);
    build_reals(*b, "plain", "6x2", plain);
    build_node(*b, "Gemm", "x pick bias", "a");
    build_node(*b, "Relu", "a", "h");
    build_node(*b, "MatMul", "h steep", "u");
    build_node(*b, "MatMul", "x plain", "v");
    build_node(*b, "Add", "u v", "y");
    build_output(*b, "y");
    return check_open(*b, NULL);
}

static void samples_lead_farther(void **unused)
{
    (void)unused;
    build *b;
    lip_model *model = open_model(&b);
    const double samples[3 * FEATURES] = { [1] = 5, [FEATURES + 1] = 1500, [2 * FEATURES] = 3 };
    const double exact = sqrt(901), lo = -10, hi = 10;
    const lip_input_range range = { &lo, &hi, 1 };
    lip_slope_options options = { .evaluations = 3000 };
    double alone = lip_slope_search(model, &options);
    assert_true(alone > 0.99 && alone < 1.01);
    options.samples = samples;
    options.sample_count = 1; /* nothing is there */
    assert_true(lip_slope_search(model, &options) >= alone);
    options.sample_count = 3;
    double found = lip_slope_search(model, &options);
    assert_true(found >= 0.999 * exact && found <= exact * (1 + 1e-12));
    assert_true(found == lip_slope_search(model, &options));
    options.range = &range; /* a sample outside of it leads nowhere */
    assert_true(lip_slope_search(model, &options) <= 1 + 1e-12);
    lip_model_free(&model);
    build_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(samples_lead_farther) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
