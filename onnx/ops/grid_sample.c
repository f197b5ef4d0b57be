/*
 * grid_sample.c: GridSample: the data [N, C, d...] looked up at the points
 * that a grid [N, e..., k] names, coordinates in [-1, 1] from the last axis to
 * the first; nearest, linear or cubic between elements.
 *
 * Each axis gives a few taps (an element and its weight); the value is the sum
 * over all combinations of taps. Linear in the data. In the grid the slope is
 * a difference of data.
 *
 * Gain in the data: |A|^2 <= max row sum * max column sum of |A| [Schur 1911].
 * A weight is a function of the coordinate i of slope at most 3 (1 for linear),
 * and i is within 2^-50 (|i| + n + 2) of its value in exact arithmetic, so that
 * each of the at most 64 weights of a point is within 3 * 3 of that (weights
 * are at most 1 in size, up to three factors), also where a tap comes or goes:
 * there its weight is 0. For nearest the rounded coordinate is taken as it is.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "outward.h"
#include "support.h"

#include <math.h>
#include <string.h>

enum { MAX_AXES = 3, MAX_TAPS = 4 };
typedef enum mode { NEAREST, LINEAR, CUBIC } mode;
typedef enum padding { ZEROS, BORDER, REFLECTION } padding;

typedef struct sampler {
    mode mode;
    padding padding;
    bool align;
    int axes;
    int64_t batch, channels, points; /* points of one sample */
    int64_t dim[MAX_AXES], size;     /* of the data; size: their product */
} sampler;

typedef struct taps {
    int count;
    int64_t at[MAX_TAPS]; /* -1: outside, counts as 0 */
    double weight[MAX_TAPS];
} taps;

static lip_status read_mode(const lip_node *node, sampler *s, lip_error *error)
{
    static const struct {
        const char *name;
        mode mode;
    } modes[] = {{"nearest", NEAREST}, {"linear", LINEAR}, {"bilinear", LINEAR}, {"cubic", CUBIC}, {"bicubic", CUBIC}};
    static const char *const paddings[] = {"zeros", "border", "reflection"};
    const char *name = lip_attr_string(node, "mode", "linear"), *pad = lip_attr_string(node, "padding_mode", "zeros");
    bool known = false, padded = false;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strcmp(modes[i].name, name) == 0) {
            s->mode = modes[i].mode;
            known = true;
        }
    for (int i = 0; i < 3; i++)
        if (strcmp(paddings[i], pad) == 0) {
            s->padding = (padding)i;
            padded = true;
        }
    s->align = lip_attr_int(node, "align_corners", 0) != 0;
    if (!known || !padded)
        return lip_fail_node(error, LIP_EFORMAT, node, "attribute %s is '%s'", known ? "padding_mode" : "mode",
                             known ? pad : name);
    return LIP_OK;
}

static lip_status read(const lip_node *node, sampler *out, lip_error *error)
{
    sampler s = {.size = 1};
    LIP_TRY(lip_check_inputs(node, 2, 2, error));
    LIP_TRY(lip_check_real(node, 0, error));
    LIP_TRY(lip_check_real(node, 1, error));
    LIP_TRY(read_mode(node, &s, error));
    const lip_shape *x = &node->inputs[0]->shape, *g = &node->inputs[1]->shape;
    s.axes = x->rank - 2;
    if (x->rank < 3 || g->rank != x->rank || g->dim[0] != x->dim[0] || g->dim[g->rank - 1] != s.axes)
        return lip_fail_node(error, LIP_EFORMAT, node, "its grid does not fit its data");
    if (s.axes > MAX_AXES || (s.mode == CUBIC && s.axes != 2))
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "samples along %d axes in this mode", s.axes);
    for (int i = 0; i < s.axes; i++) {
        s.dim[i] = x->dim[i + 2];
        if (s.dim[i] < 1) return lip_fail_node(error, LIP_EFORMAT, node, "its data have an axis without elements");
        s.size *= s.dim[i];
    }
    s.batch = x->dim[0];
    s.channels = x->dim[1];
    s.points = lip_dims_product(g, 1, g->rank - 1);
    *out = s;
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    sampler s;
    LIP_TRY(read(node, &s, error));
    lip_shape y = node->inputs[0]->shape;
    for (int i = 0; i < s.axes; i++) y.dim[i + 2] = node->inputs[1]->shape.dim[i + 1];
    return lip_set_output(node, 0, node->inputs[0]->dtype, &y, error);
}

/* x folded into [low, high] by reflection at the ends. */
static double reflect(double x, double low, double high)
{
    const double range = high - low;
    if (range <= 0) return low;
    double from = fmod(fabs(x - low), 2 * range);
    return low + (from > range ? 2 * range - from : from);
}

/* The element that coordinate i stands for, -1 for none. */
static int64_t padded(const sampler *s, double i, int64_t n)
{
    if (s->padding == BORDER) i = fmax(0, fmin((double)(n - 1), i));
    if (s->padding == REFLECTION) i = s->align ? reflect(i, 0, (double)(n - 1)) : reflect(i, -0.5, (double)n - 0.5);
    i = nearbyint(i);
    if (s->padding == REFLECTION) i = fmax(0, fmin((double)(n - 1), i));
    return i >= 0 && i < (double)n ? (int64_t)i : -1;
}

static void cubic_weights(double t, double *w)
{
    const double a = -0.75;
    for (int k = 0; k < 4; k++) {
        double d = fabs(t + 1 - k);
        w[k] = d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
    }
}

static taps taps_of(const sampler *s, double coordinate, int64_t n)
{
    taps t = {.count = s->mode == NEAREST ? 1 : s->mode == LINEAR ? 2 : 4};
    double i = s->align ? (coordinate + 1) / 2 * (double)(n - 1) : ((coordinate + 1) * (double)n - 1) / 2;
    if (!isfinite(i) || fabs(i) > 0x1p52) i = i > 0 ? 0x1p52 : -0x1p52;
    if (s->mode != CUBIC && s->padding == BORDER) i = fmax(0, fmin((double)(n - 1), i));
    if (s->mode != CUBIC && s->padding == REFLECTION) {
        i = s->align ? reflect(i, 0, (double)(n - 1)) : reflect(i, -0.5, (double)n - 0.5);
        i = fmax(0, fmin((double)(n - 1), i));
    }
    const double whole = floor(i), rest = i - whole;
    if (s->mode == NEAREST) {
        t.at[0] = padded(s, nearbyint(i), n);
        t.weight[0] = 1;
        return t;
    }
    if (s->mode == LINEAR) {
        t.weight[0] = 1 - rest;
        t.weight[1] = rest;
    } else {
        cubic_weights(rest, t.weight);
    }
    for (int k = 0; k < t.count; k++) t.at[k] = padded(s, whole + k - (s->mode == CUBIC), n);
    return t;
}

/* Offsets in one channel and weights of a point: at most 4 * 4 of 8 or 16. Returns their number. */
static int point_taps(const sampler *s, const double *coordinates, int64_t *at, double *weight)
{
    int count = 1;
    at[0] = 0;
    weight[0] = 1;
    for (int axis = 0; axis < s->axes; axis++) {
        const taps t = taps_of(s, coordinates[s->axes - 1 - axis], s->dim[axis]);
        int made = 0;
        int64_t old_at[64];
        double old_weight[64];
        memcpy(old_at, at, (size_t)count * sizeof *at);
        memcpy(old_weight, weight, (size_t)count * sizeof *weight);
        for (int i = 0; i < count; i++)
            for (int k = 0; k < t.count; k++) {
                if (t.at[k] < 0 || t.weight[k] == 0) continue;
                at[made] = old_at[i] * s->dim[axis] + t.at[k];
                weight[made++] = old_weight[i] * t.weight[k];
            }
        count = made;
    }
    return count;
}

/* Into out[0] of the data, or into in_grad[0] of out_grad[0]. */
static lip_status run(const lip_call *call, bool backward, lip_error *error)
{
    sampler s;
    int64_t at[64];
    double weight[64];
    LIP_TRY(read(call->node, &s, error));
    for (int64_t p = 0; p < s.batch * s.points; p++) {
        const int count = point_taps(&s, call->in[1]->f64 + p * s.axes, at, weight);
        for (int64_t c = 0; c < s.channels; c++) {
            const int64_t plane = p / s.points * s.channels + c, to = plane * s.points + p % s.points;
            double sum = 0;
            for (int i = 0; i < count; i++) {
                if (backward)
                    call->in_grad[0][plane * s.size + at[i]] += weight[i] * call->out_grad[0][to];
                else
                    sum += weight[i] * call->in[0]->f64[plane * s.size + at[i]];
            }
            if (!backward) call->out[0]->f64_room[to] = sum;
        }
    }
    return LIP_OK;
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    return call->out[0] ? run(call, false, error) : LIP_OK;
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    if (call->in_grad[1])
        return lip_fail_node(error, LIP_EUNSUPPORTED, call->node, "the gradient in its grid is not implemented");
    lip_zero_grad(call, 0);
    return call->in_grad[0] && call->out_grad[0] ? run(call, true, error) : LIP_OK;
}

/* How far the weights of a point may be from those in exact arithmetic. */
static double weight_error(const sampler *s, const double *coordinates)
{
    double error = 0;
    for (int axis = 0; axis < s->axes; axis++) {
        const double n = (double)s->dim[axis];
        error += 9 * 0x1p-50 * (fabs(coordinates[s->axes - 1 - axis]) * n + 2 * n + 2);
    }
    return s->mode == NEAREST ? 0 : error;
}

/* Upper bounds of the largest row sum and column sum of one sample's matrix; `column` has room for its data. */
static void largest_sums(const sampler *s, const double *grid, double *column, double *row_most, double *column_most)
{
    int64_t at[64];
    double weight[64], errors = 0;
    memset(column, 0, (size_t)s->size * sizeof *column);
    for (int64_t p = 0; p < s->points; p++) {
        const int count = point_taps(s, grid + p * s->axes, at, weight);
        const double error = 64 * weight_error(s, grid + p * s->axes);
        double sum = error;
        for (int i = 0; i < count; i++) {
            sum += fabs(weight[i]);
            column[at[i]] = lip_up(column[at[i]] + fabs(weight[i]));
        }
        errors = lip_up(errors + error);
        *row_most = fmax(*row_most, sum * (1 + 0x1p-40));
    }
    for (int64_t i = 0; i < s->size; i++) *column_most = fmax(*column_most, lip_up(column[i] + errors));
}

static lip_status schur(const lip_node *node, const sampler *s, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    const lip_tensor *grid = lip_node_constant(node, 1);
    double row = 0, column = 0, *sums = lip_arena_alloc(arena, s->size, sizeof *sums);
    double *points = lip_arena_alloc(arena, s->points * s->axes, sizeof *points);
    if (!sums || !points) return lip_fail_memory(error, node, "its column sums");
    for (int64_t b = 0; b < s->batch; b++) {
        for (int64_t i = 0; i < s->points * s->axes; i++)
            points[i] = lip_tensor_real(grid, b * s->points * s->axes + i);
        largest_sums(s, points, sums, &row, &column);
    }
    *gain = (lip_gain){.kind = LIP_GAIN_LIPSCHITZ, .reason = "root of the largest row and column sums of its weights"};
    gain->lipschitz.upper = lip_up(sqrt(lip_up(row * column)));
    return LIP_OK;
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    sampler s;
    LIP_TRY(read(node, &s, error));
    if (lip_input_varies(node, 1))
        *gain = lip_gain_none(LIP_GAIN_UNBOUNDED, "its grid depends on the input: the slope is a difference of data");
    else if (!lip_node_constant(node, 1))
        *gain = lip_gain_none(LIP_GAIN_UNKNOWN, "its grid is not constant");
    else
        return schur(node, &s, arena, gain, error);
    return LIP_OK;
}

const lip_op lip_op_grid_sample = {
    .name = "GridSample",
    .domain = "",
    .opset_first = 16,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_LIPSCHITZ},
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
};
