/*
 * geometry.c: see geometry.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "geometry.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

int64_t random_between(uint64_t *state, int64_t low, int64_t high)
{
    return low + (int64_t)((hand_random(state) + 1) / 2 * (double)(high - low + 1));
}

int64_t product_of(const int64_t *v, int dims)
{
    int64_t p = 1;
    for (int i = 0; i < dims; i++)
        p *= v[i];
    return p;
}

static void split(int64_t index, const int64_t *size, int dims, int64_t *at)
{
    for (int i = dims - 1; i >= 0; i--) {
        at[i] = index % size[i];
        index /= size[i];
    }
}

int64_t geometry_read(const geometry *g, int64_t o, int64_t t)
{
    int64_t at[GEOMETRY_DIMS], tap[GEOMETRY_DIMS], offset = 0;
    split(o, g->m, g->dims, at);
    split(t, g->k, g->dims, tap);
    for (int i = 0; i < g->dims; i++) {
        const int64_t q = at[i] * g->s[i] + tap[i] * g->d[i] - g->begin[i];
        if (q < 0 || q >= g->n[i])
            return -1;
        offset = offset * g->n[i] + q;
    }
    return offset;
}

bool geometry_in_padded(const geometry *g, int64_t o, int64_t t)
{
    int64_t at[GEOMETRY_DIMS], tap[GEOMETRY_DIMS];
    split(o, g->m, g->dims, at);
    split(t, g->k, g->dims, tap);
    for (int i = 0; i < g->dims; i++)
        if (at[i] * g->s[i] + tap[i] * g->d[i] >= g->n[i] + g->begin[i] + g->end[i])
            return false;
    return true;
}

/* False if there is no output. [ONNX Operators.md, MaxPool: output_spatial_shape] */
static bool count_outputs(geometry *g)
{
    for (int i = 0; i < g->dims; i++) {
        const double room = (double)(g->n[i] + g->begin[i] + g->end[i] - g->d[i] * (g->k[i] - 1) - 1) / (double)g->s[i];
        g->m[i] = (int64_t)(g->ceil_mode ? ceil(room) : floor(room)) + 1;
        if (room < 0)
            return false;
        if (g->ceil_mode && (g->m[i] - 1) * g->s[i] >= g->n[i] + g->begin[i])
            g->m[i]--;
    }
    return true;
}

geometry geometry_random(uint64_t *state, bool crop, bool ceil_mode)
{
    geometry g;
    do {
        g = (geometry){ .dims = (int)random_between(state, 1, 3) };
        g.ceil_mode = ceil_mode && random_between(state, 0, 1);
        for (int i = 0; i < g.dims; i++) {
            g.n[i] = random_between(state, 1, 9);
            g.k[i] = random_between(state, 1, 4);
            g.s[i] = random_between(state, 1, 3);
            g.d[i] = random_between(state, 1, 2);
            g.begin[i] = random_between(state, crop ? -1 : 0, 2);
            g.end[i] = random_between(state, crop ? -1 : 0, 2);
        }
    } while (!count_outputs(&g));
    return g;
}

void geometry_set(hand_node *h, const geometry *g)
{
    int64_t pads[2 * GEOMETRY_DIMS];
    memcpy(pads, g->begin, (size_t)g->dims * sizeof *pads);
    memcpy(pads + g->dims, g->end, (size_t)g->dims * sizeof *pads);
    hand_ints(h, "kernel_shape", g->dims, g->k);
    hand_ints(h, "strides", g->dims, g->s);
    hand_ints(h, "dilations", g->dims, g->d);
    hand_ints(h, "pads", 2 * g->dims, pads);
    hand_int(h, "ceil_mode", g->ceil_mode);
}

lip_shape geometry_shape(int64_t first, int64_t second, const int64_t *rest, int dims)
{
    lip_shape s = { .rank = dims + 2, .dim = { first, second } };
    for (int i = 0; i < dims; i++)
        s.dim[i + 2] = rest[i];
    return s;
}

static double *random_tensor(const lip_shape *shape, uint64_t *state)
{
    int64_t count = 0;
    assert_true(lip_shape_count(shape, &count));
    double *v = malloc((size_t)count * sizeof *v + 1);
    assert_non_null(v);
    for (int64_t i = 0; i < count; i++)
        v[i] = hand_random(state);
    return v;
}

void add_random_input(hand_node *h, lip_shape shape, bool varies, uint64_t *state)
{
    double *v = random_tensor(&shape, state);
    hand_input(h, shape, v, varies);
    free(v);
}

void assert_close(double found, double wanted)
{
    if (!(fabs(found - wanted) <= 1e-12 * (1 + fabs(wanted))))
        fail_msg("found %.17g, wanted %.17g", found, wanted);
}
