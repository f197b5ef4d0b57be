/*
 * test_survey.c: remarks about units, and none where there is nothing to say.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "survey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const double bytes[] = {0, 255, 17, 128, 3}, unit[] = {0, 1, 0.25, 0.5, 0.125},
                    normalised[] = {-1.5, 0.25, 1.25, -0.75, 0.5}, numbers[] = {1, 2, 3, 4, 5},
                    centred[] = {-0.5, 0.5, 0.1, -0.1, 0};
static const double mean[] = {0.5};
static const lip_preprocess none = {.scale = 1}, scaled = {.scale = 1.0 / 255},
                            moved = {.scale = 1, .mean = mean, .mean_count = 1};

static void check(const double *values, const lip_preprocess *preprocess, const char *part)
{
    char text[512] = "";
    lip_survey survey = survey_begin();
    survey_add(&survey, 2, values);
    survey_add(&survey, 3, values + 2);
    bool remark = survey_remark(&survey, preprocess, text, sizeof text);
    assert_int_equal(remark, part != NULL);
    if (part && !strstr(text, part))
        fail_msg("\"%s\", wanted \"%s\"", text, part);
}

static void remarks(void **unused)
{
    (void)unused;
    check(bytes, NULL, "whole numbers up to 255 and are taken as they are: give --scale 1/255");
    check(bytes, &none, "give --scale 1/255");
    check(normalised, NULL, "look normalised");
    check(normalised, &none, "radii are distances in these units");
    check(normalised, &moved, "look normalised already");
    check(normalised, &scaled, "--scale changes them once more");
    check(unit, &scaled, "lie in [0, 1] already");
}

static void silence(void **unused)
{
    char text[8];
    (void)unused;
    check(bytes, &scaled, NULL);
    check(bytes, &moved, NULL);
    check(unit, NULL, NULL);
    check(unit, &moved, NULL);
    check(numbers, NULL, NULL);
    lip_survey empty = survey_begin();
    assert_false(survey_remark(&empty, NULL, text, sizeof text));
}

static void small_deviations_are_not_normalised(void **unused)
{
    (void)unused;
    check(centred, NULL, "look normalised");
    const double tight[] = {-0.1, 0.1, 0.05, 0.5, 0.4};
    check(tight, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(remarks),
        cmocka_unit_test(silence),
        cmocka_unit_test(small_deviations_are_not_normalised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
