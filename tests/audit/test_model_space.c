/*
 * test_model_space.c: how far a preprocessed sample is from the exact point,
 * and what that takes off a radius.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "model_space.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ELEMENTS 3000

static const lip_shape input = {.rank = 4, .dim = {1, 3, 10, 100}};

/* The 2-norm of what `sample` is off the exact point, by long double, whose own error is 2000 times smaller. */
static double off(const lip_model_space *space, const double *from, const double *sample)
{
    const lip_preprocess *p = space->preprocess;
    long double sum = 0.0L;
    for (size_t i = 0; i < ELEMENTS; i++) {
        size_t c = i / 1000;
        long double exact = ((long double)from[i] * p->scale - (p->mean ? p->mean[p->mean_count > 1 ? c : 0] : 0.0)) /
                            (p->std ? p->std[p->std_count > 1 ? c : 0] : 1.0);
        sum += (sample[i] - exact) * (sample[i] - exact);
    }
    return (double)sqrtl(sum);
}

static void errors_are_bounded(void **unused)
{
    (void)unused;
    const double mean[] = {0.485, 0.456, 0.406}, std[] = {0.229, 0.224, 0.225}, one[] = {0.3};
    const lip_preprocess ways[] = {
        {.scale = 1.0 / 255.0},
        {.scale = 1.0 / 255.0, .mean = mean, .mean_count = 3, .std = std, .std_count = 3},
        {.scale = 1.0, .mean = one, .mean_count = 1, .std = std, .std_count = 3},
        {.scale = 0.7, .std = one, .std_count = 1},
    };
    double from[ELEMENTS], sample[ELEMENTS];
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
        lip_model_space space;
        lip_options_error reason;
        assert_true(model_space_of(&ways[w], &input, &space, &reason));
        for (int i = 0; i < ELEMENTS; i++)
            from[i] = sample[i] = (double)(i * 7919 % 256);
        double bound = 0.0;
        model_space_take(&space, &(lip_model_space_task){.samples = sample, .count = 1, .elements = ELEMENTS,
                                                         .errors = &bound});
        double found = off(&space, from, sample);
        assert_true(found > 0.0 && found <= bound && bound < 1e-9);
    }
}

static void wrong_channels(void **unused)
{
    (void)unused;
    const double mean[] = {0.5, 0.5};
    const lip_preprocess two = {.scale = 1.0, .mean = mean, .mean_count = 2};
    lip_model_space space;
    lip_options_error reason;
    assert_false(model_space_of(&two, &input, &space, &reason));
    assert_non_null(strstr(reason.message, "--mean and --std hold 2 values"));
}

static void radii_shrink(void **unused)
{
    (void)unused;
    lip_certificate certificates[] = {
        {.margin_lower = 1.0, .radius = 0.5, .sqrt2_radius = 0.25, .pairwise_radius = 0.5, .method = "pairwise"},
        {.margin_lower = 1e-3, .radius = 1e-9, .sqrt2_radius = 0.0, .pairwise_radius = NAN, .method = "sqrt2"},
        {.margin_lower = -1.0, .radius = 0.0, .sqrt2_radius = 0.0, .pairwise_radius = 0.0, .method = ""},
    };
    double errors[] = {1e-6, 1e-6, 0.0};
    lip_model_space space = {.lipschitz_upper = 10.0};
    model_space_move(&space, &(lip_model_space_task){.count = 3, .certificates = certificates, .errors = errors});
    assert_true(certificates[0].radius < 0.5 - 1e-6 && certificates[0].radius > 0.5 - 1.0001e-6);
    assert_true(certificates[0].sqrt2_radius < 0.25 - 1e-6 && certificates[0].pairwise_radius < 0.5 - 1e-6);
    assert_true(certificates[0].margin_lower <= 1.0 - sqrt(2.0) * 1e-5);
    assert_true(certificates[0].margin_lower > 1.0 - 1.6e-5);
    assert_string_equal(certificates[0].method, "pairwise");
    assert_true(certificates[1].radius == 0.0 && isnan(certificates[1].pairwise_radius));
    assert_string_equal(certificates[1].method, "");
    assert_true(certificates[2].radius == 0.0 && certificates[2].sqrt2_radius == 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_bounded),
        cmocka_unit_test(wrong_channels),
        cmocka_unit_test(radii_shrink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
