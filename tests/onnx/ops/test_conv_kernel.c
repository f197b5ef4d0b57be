/*
 * test_conv_kernel.c: lip_conv_forward and lip_conv_adjoint against the
 * definition in conv.h, over random geometries: one to three dimensions,
 * groups, strides, dilations, negative and asymmetric pads, and sizes that
 * need several blocks.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "conv.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TRIALS = 400 };

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static int64_t random_in(uint64_t *state, int64_t low, int64_t high)
{
    return low + (int64_t)(next_random(state) % (uint64_t)(high - low + 1));
}

static double *random_vector(uint64_t *state, int64_t count)
{
    double *v = malloc((size_t)count * sizeof *v + 1);
    assert_non_null(v);
    for (int64_t i = 0; i < count; i++)
        v[i] = (double)next_random(state) / 1073741824.0 - 1.0;
    return v;
}

/* Offset in a [size...] array of positions `at`; -1 outside. */
static int64_t offset_of(const int64_t *at, const int64_t *size, int dims)
{
    int64_t offset = 0;
    for (int i = 0; i < dims; i++) {
        if (at[i] < 0 || at[i] >= size[i])
            return -1;
        offset = offset * size[i] + at[i];
    }
    return offset;
}

static void split(int64_t index, const int64_t *size, int dims, int64_t *at)
{
    for (int i = dims - 1; i >= 0; i--) {
        at[i] = index % size[i];
        index /= size[i];
    }
}

static int64_t product(const int64_t *size, int dims)
{
    int64_t count = 1;
    for (int i = 0; i < dims; i++)
        count *= size[i];
    return count;
}

/* The definition, element by element. */
static double reference(const lip_conv *c, const double *w, const double *x, int64_t o, int64_t position)
{
    const int64_t in = c->c_in / c->groups, taps = product(c->k, c->dims), inputs = product(c->n, c->dims);
    const int64_t group = o / (c->c_out / c->groups);
    int64_t p[LIP_CONV_DIMS], t[LIP_CONV_DIMS], q[LIP_CONV_DIMS];
    double sum = 0;
    split(position, c->n_out, c->dims, p);
    for (int64_t i = 0; i < in; i++)
        for (int64_t tap = 0; tap < taps; tap++) {
            split(tap, c->k, c->dims, t);
            for (int a = 0; a < c->dims; a++)
                q[a] = p[a] * c->stride[a] + t[a] * c->dilation[a] - c->pad_begin[a];
            const int64_t at = offset_of(q, c->n, c->dims);
            if (at >= 0)
                sum += w[(o * in + i) * taps + tap] * x[(group * in + i) * inputs + at];
        }
    return sum;
}

static lip_conv random_geometry(uint64_t *state)
{
    lip_conv c = { .batch = 1, .dims = (int)random_in(state, 1, 3) };
    c.groups = random_in(state, 1, 3);
    c.c_in = c.groups * random_in(state, 1, 5);
    c.c_out = c.groups * random_in(state, 1, 5);
    for (int i = 0; i < c.dims; i++) {
        c.n[i] = random_in(state, 1, c.dims == 1 ? 90 : 12);
        c.k[i] = random_in(state, 1, 4);
        c.stride[i] = random_in(state, 1, 3);
        c.dilation[i] = random_in(state, 1, 3);
        c.pad_begin[i] = random_in(state, -2, 4);
        c.n_out[i] = random_in(state, 1, c.dims == 1 ? 60 : 10);
    }
    if (random_in(state, 0, 4) == 0)
        for (int i = 0; i < c.dims; i++) {
            c.k[i] = c.stride[i] = 1;
            c.pad_begin[i] = 0;
            c.n_out[i] = c.n[i];
        }
    return c;
}

static double dot(const double *a, const double *b, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

static void check(const lip_conv *c, uint64_t *state)
{
    const int64_t inputs = lip_conv_input_count(c), outputs = lip_conv_output_count(c);
    double *w = random_vector(state, lip_conv_weight_count(c)), *x = random_vector(state, inputs);
    double *u = random_vector(state, outputs), *y = random_vector(state, outputs), *v = random_vector(state, inputs);
    double *work = random_vector(state, lip_conv_work_count(c));
    const int64_t positions = product(c->n_out, c->dims);

    lip_conv_forward(c, w, x, y, work);
    for (int64_t o = 0; o < c->c_out; o++)
        for (int64_t p = 0; p < positions; p++)
            assert_true(fabs(y[o * positions + p] - reference(c, w, x, o, p)) < 1e-12 * (1 + (double)(c->c_in * 64)));
    lip_conv_adjoint(c, w, u, v, work);
    const double left = dot(y, u, outputs), right = dot(x, v, inputs);
    const double size = sqrt(dot(y, y, outputs) * dot(u, u, outputs)) + 1e-300;
    assert_true(fabs(left - right) <= 1e-12 * size);
    free(w);
    free(x);
    free(u);
    free(y);
    free(v);
    free(work);
}

static void random_geometries_agree_with_the_definition(void **unused)
{
    (void)unused;
    uint64_t state = 7;
    for (int i = 0; i < TRIALS; i++) {
        const lip_conv c = random_geometry(&state);
        check(&c, &state);
    }
}

/* Several blocks of channels and of positions, and rows cut by a block's end. */
static void large_geometries_agree_with_the_definition(void **unused)
{
    (void)unused;
    uint64_t state = 11;
    const lip_conv many_positions = { .batch = 1, .dims = 2, .groups = 1, .c_in = 3, .c_out = 2, .n = { 131, 97 },
                                      .n_out = { 131, 97 }, .k = { 7, 5 }, .stride = { 1, 1 }, .dilation = { 1, 1 },
                                      .pad_begin = { 3, 2 } };
    const lip_conv many_channels = { .batch = 1, .dims = 2, .groups = 2, .c_in = 260, .c_out = 6, .n = { 21, 23 },
                                     .n_out = { 21, 23 }, .k = { 3, 3 }, .stride = { 1, 1 }, .dilation = { 1, 1 },
                                     .pad_begin = { 1, 1 } };
    const lip_conv huge_kernel = { .batch = 1, .dims = 2, .groups = 1, .c_in = 5, .c_out = 3, .n = { 40, 40 },
                                   .n_out = { 17, 18 }, .k = { 25, 25 }, .stride = { 2, 2 }, .dilation = { 1, 1 },
                                   .pad_begin = { 10, 12 } };
    check(&many_positions, &state);
    check(&many_channels, &state);
    check(&huge_kernel, &state);
}

static void the_workspace_stays_near_a_megabyte(void **unused)
{
    (void)unused;
    lip_conv c = { .batch = 1, .dims = 2, .groups = 1, .c_in = 512, .c_out = 512, .n = { 224, 224 },
                   .n_out = { 224, 224 }, .k = { 3, 3 }, .stride = { 1, 1 }, .dilation = { 1, 1 },
                   .pad_begin = { 1, 1 } };
    assert_true(lip_conv_work_count(&c) <= 1 << 17);
    c.k[0] = c.k[1] = 1;
    c.pad_begin[0] = c.pad_begin[1] = 0;
    assert_int_equal(lip_conv_work_count(&c), 0);
    c.groups = 512;
    assert_int_equal(lip_conv_work_count(&c), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_geometries_agree_with_the_definition),
        cmocka_unit_test(large_geometries_agree_with_the_definition),
        cmocka_unit_test(the_workspace_stays_near_a_megabyte),
    };
    return cmocka_run_group_tests_name("conv_kernel", tests, NULL, NULL);
}
