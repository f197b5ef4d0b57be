/*
 * test_fit.c: which array dimensions are what, and the order of channels.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define N 24 /* two images of 2 channels, 2 rows, 3 columns */

static const lip_shape first = {4, {1, 2, 2, 3}}, last = {4, {1, 2, 3, 2}}, flat = {2, {1, 12}};
static unsigned char counting[N], bytes[512];
static double as_is[N], to_first[N], to_last[N];

static const char *array(const char *shape)
{
    char header[200];
    snprintf(header, sizeof header, "{'descr': '|u1', 'fortran_order': False, 'shape': %s}", shape);
    return files_put("x.npy", bytes, npy_bytes(bytes, 1, header, counting, N));
}

static int prepare(void **state)
{
    for (int i = 0; i < N; i++) {
        int image = i / 12, channel = i / 6 % 2, pixel = i % 6;
        counting[i] = (unsigned char)i;
        as_is[i] = i;
        to_first[i] = image * 12 + pixel * 2 + channel;     /* element i of [c][hw] lies at [hw][c] */
        to_last[i] = image * 12 + i % 2 * 6 + i % 12 / 2;   /* element i of [hw][c] lies at [c][hw] */
    }
    return files_begin(state);
}

static void check(const char *shape, lip_shape input, lip_data_layout layout, int64_t count, const double *wanted)
{
    lip_data_options options = data_for(array(shape), input);
    options.layout = layout;
    expect_data(&options, count, wanted, NULL);
}

static void dimensions(void **unused)
{
    (void)unused;
    check("(2, 2, 2, 3)", first, LIP_LAYOUT_AS_IS, 2, as_is);
    check("(2, 12)", first, LIP_LAYOUT_AS_IS, 2, as_is);
    check("(2, 2, 2, 3)", flat, LIP_LAYOUT_AS_IS, 2, as_is);
    check("(2, 4, 3)", first, LIP_LAYOUT_AS_IS, 2, as_is); /* another shape of as many elements */
    check("(2, 1, 2, 2, 3)", first, LIP_LAYOUT_AS_IS, 2, as_is);
    check("(2, 4, 3)", SHAPE(4, 1, 1, 4, 3), LIP_LAYOUT_AS_IS, 2, as_is); /* a single channel is left out */
    check("(24,)", SHAPE(2, 1, 1), LIP_LAYOUT_AS_IS, 24, as_is);
    check("(2, 2, 2, 3)", SHAPE(3, 2, 2, 3), LIP_LAYOUT_AS_IS, 2, as_is); /* a model without a batch dimension */
}

static void one_sample(void **unused)
{
    (void)unused;
    check("(24,)", SHAPE(2, 1, 24), LIP_LAYOUT_AS_IS, 1, as_is);
    check("(4, 6)", SHAPE(4, 1, 1, 4, 6), LIP_LAYOUT_AS_IS, 1, as_is);
    check("(2, 4, 3)", SHAPE(4, 1, 2, 4, 3), LIP_LAYOUT_AS_IS, 1, as_is);
    check("(1, 2, 4, 3)", SHAPE(4, 1, 2, 4, 3), LIP_LAYOUT_AS_IS, 1, as_is);
    lip_data_options options = data_for(array("(4, 6)"), SHAPE(2, 1, 24)); /* four samples of six, or one? */
    expect_refusal(&options, LIP_EUSAGE, "its samples are 6 (6 elements), the model's input 'x' is 24 (24)");
}

static void layouts(void **unused)
{
    (void)unused;
    check("(2, 2, 3, 2)", first, LIP_LAYOUT_NHWC, 2, to_first);
    check("(2, 2, 3, 2)", last, LIP_LAYOUT_NHWC, 2, as_is);
    check("(2, 2, 2, 3)", first, LIP_LAYOUT_NCHW, 2, as_is);
    check("(2, 2, 3, 2)", flat, LIP_LAYOUT_NHWC, 2, to_first);
    check("(2, 12)", first, LIP_LAYOUT_NHWC, 2, to_first);
    check("(2, 12)", first, LIP_LAYOUT_NCHW, 2, as_is);
    check("(2, 4, 3)", SHAPE(4, 1, 1, 4, 3), LIP_LAYOUT_NHWC, 2, as_is);
    check("(2, 2, 3, 2)", SHAPE(3, 2, 2, 3), LIP_LAYOUT_NHWC, 2, to_first);
    /* Channels last in the model, told from channels first by being fewer. */
    check("(2, 12)", SHAPE(4, 1, 3, 2, 2), LIP_LAYOUT_NHWC, 2, as_is);
    check("(2, 12)", SHAPE(4, 1, 3, 2, 2), LIP_LAYOUT_NCHW, 2, to_last);
    check("(2, 2, 3, 2)", SHAPE(4, 1, 3, 2, 2), LIP_LAYOUT_NCHW, 2, to_last);
    check("(2, 3, 4)", first, LIP_LAYOUT_NHWC, 2, as_is); /* no channels to move */
}

static void refuses(void **unused)
{
    (void)unused;
    lip_data_options options = data_for(array("(2, 2, 3, 2)"), first);
    expect_refusal(&options, LIP_EUSAGE, "its samples are 2x3x2, the model's input is 2x2x3: give --layout nhwc");
    options = data_for(array("(2, 2, 2, 3)"), SHAPE(4, 1, 2, 3, 2));
    expect_refusal(&options, LIP_EUSAGE, "give --layout nchw if their channels come first");
    options = data_for(array("(2, 2, 2, 3)"), SHAPE(4, 1, 3, 3, 3));
    expect_refusal(&options, LIP_EUSAGE, "its samples are 2x2x3 (12 elements), the model's input 'x' is 3x3x3 (27)");
    options = data_for(array("(2, 12)"), flat);
    options.layout = LIP_LAYOUT_NHWC;
    expect_refusal(&options, LIP_EUSAGE, "neither its samples nor the model's input 'x' have three dimensions");
    options = data_for(array("(2, 2, 2, 3, 1, 1)"), SHAPE(5, 1, 2, 2, 3, 1));
    expect_data(&options, 2, as_is, NULL);
    options = data_for(array("(1, 2, 2, 2, 3)"), SHAPE(5, 1, 2, 2, 2, 3));
    options.layout = LIP_LAYOUT_NHWC;
    expect_refusal(&options, LIP_EUSAGE, "its samples have 4 dimensions, not three");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dimensions),
        cmocka_unit_test(one_sample),
        cmocka_unit_test(layouts),
        cmocka_unit_test(refuses),
    };
    return cmocka_run_group_tests(tests, prepare, files_end);
}
