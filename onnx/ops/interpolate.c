/*
 * interpolate.c: see interpolate.h. Output o of an axis reads up to four
 * inputs; the axes are resampled one after the other, and the adjoint goes
 * back through them. The coefficients are those of the coordinates as computed
 * here, in float64: with long axes and scales that are no powers of two each
 * is within some 2^-50 n of the real number's. Runtimes compute coordinates in
 * float32 and differ by far more, so that the bounds are of this map.
 *
 * Its norm is the product of the axes'. For one, A [m, n], with the vector 1 of n ones and G = A'A, whose eigenvalues
 * are no larger than a row's sum of magnitudes [Gershgorin]:
 *   max(|A 1|^2 / n, max_x G_xx) <= |A|^2 <= max_x sum_y |G_xy|.
 * G has seven diagonals, as a row of A reads four neighbours. With the largest sum of magnitudes R of a row of A and C
 * of a column, the products that add up to a row of G have magnitudes of at most R C together: the row, of up to 16 m
 * terms, is within (16 m + 16) u R C of the real one, u = 2^-53, whatever the order of its sums, and R and C are within
 * 1 +- (4 m + 4) u. The row sums of A 1 are within 8 u R of the real ones.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "interpolate.h"

#include "outward.h"
#include "support.h"

#include <math.h>
#include <string.h>

enum { TAPS = 4 };

typedef struct taps {
    int64_t at[TAPS];
    double weight[TAPS];
} taps;

lip_status lip_interpolation_scale(const lip_node *node, lip_interpolation *p, int axis, double scale, lip_error *error)
{
    const float size = floorf((float)p->in.dim[axis] * (float)scale);
    if (!(scale > 0) || !(size <= 0x1p31F))
        return lip_fail_node(error, LIP_EFORMAT, node, "axis %d of size %lld has the scale %g", axis,
                             (long long)p->in.dim[axis], scale);
    p->scale[axis] = scale;
    p->out.dim[axis] = (int64_t)size;
    return LIP_OK;
}

/* The output's length between the corners: with scales, the standard takes it before rounding down to m > 1. */
static double aligned_length(double n, double m, double scale)
{
    return fabs(n * scale - m) > 1e-6 * m ? n * scale : m;
}

/* Where output o lies among the inputs [ONNX Operators.md, Resize, coordinate_transformation_mode]. */
static double coordinate(const lip_interpolation *p, int axis, int64_t o)
{
    const double scale = p->scale[axis], n = (double)p->in.dim[axis], m = (double)p->out.dim[axis], at = (double)o;
    switch (p->coordinates) {
    case LIP_ASYMMETRIC:
        return at / scale;
    case LIP_ALIGN_CORNERS:
        return o > 0 ? at * (n - 1) / (aligned_length(n, m, scale) - 1) : 0;
    case LIP_PYTORCH_HALF_PIXEL:
        return m > 1 ? (at + 0.5) / scale - 0.5 : 0;
    case LIP_TF_HALF_PIXEL_FOR_NN:
        return (at + 0.5) / scale;
    case LIP_HALF_PIXEL_SYMMETRIC:
        return n / 2 * (1 - m / (n * scale)) + (at + 0.5) / scale - 0.5;
    case LIP_HALF_PIXEL:
        break;
    }
    return (at + 0.5) / scale - 0.5;
}

static double nearest_to(lip_nearest mode, double x)
{
    switch (mode) {
    case LIP_ROUND_PREFER_CEIL:
        return floor(x + 0.5);
    case LIP_FLOOR:
        return floor(x);
    case LIP_CEIL:
        return ceil(x);
    case LIP_ROUND_PREFER_FLOOR:
        break;
    }
    return ceil(x - 0.5);
}

/* Keys' kernel at distance d [Keys 1981]. */
static double cubic(double a, double d)
{
    d = fabs(d);
    return d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
}

static double weight_at(const lip_interpolation *p, double distance)
{
    if (p->mode == LIP_CUBIC)
        return fabs(distance) < 2 ? cubic(p->cubic_a, distance) : 0;
    return fmax(0, 1 - fabs(distance));
}

static taps taps_of(const lip_interpolation *p, int axis, int64_t o)
{
    const double n = (double)p->in.dim[axis], x = coordinate(p, axis, o);
    taps t = { .weight = { 1 } };
    if (p->mode == LIP_NEAREST) {
        t.at[0] = (int64_t)fmin(fmax(nearest_to(p->nearest, x), 0), n - 1);
        return t;
    }
    double sum = 0;
    for (int i = 0; i < TAPS; i++) {
        const double at = floor(x) - 1 + i;
        const bool outside = at < 0 || at > n - 1;
        t.at[i] = (int64_t)fmin(fmax(at, 0), n - 1);
        t.weight[i] = outside && p->exclude_outside ? 0 : weight_at(p, x - at);
        sum += t.weight[i];
    }
    for (int i = 0; p->exclude_outside && sum != 0 && i < TAPS; i++)
        t.weight[i] /= sum;
    return t;
}

static bool is_moved(const lip_interpolation *p, int axis)
{
    return p->scale[axis] != 1 || p->in.dim[axis] != p->out.dim[axis];
}

/* One axis: x [outer, n, inner] to y [outer, m, inner], or the gradient of y to that of x. */
static void resample(const lip_interpolation *p, int axis, int64_t outer, int64_t inner, bool back, const double *from,
                     double *to)
{
    const int64_t n = p->in.dim[axis], m = p->out.dim[axis];
    memset(to, 0, (size_t)(outer * (back ? n : m) * inner) * sizeof *to);
    for (int64_t o = 0; o < m; o++) {
        const taps t = taps_of(p, axis, o);
        for (int i = 0; i < TAPS; i++) {
            const double weight = t.weight[i];
            for (int64_t k = 0; weight != 0 && k < outer; k++) {
                const int64_t x = (k * n + t.at[i]) * inner, y = (k * m + o) * inner;
                for (int64_t j = 0; j < inner; j++)
                    to[(back ? x : y) + j] += weight * from[(back ? y : x) + j];
            }
        }
    }
}

/* Elements of the largest tensor on the way. */
static bool largest_stage(const lip_interpolation *p, int64_t *largest)
{
    lip_shape stage = p->in;
    int64_t count = 0;
    *largest = 0;
    for (int axis = 0; axis <= p->in.rank; axis++) {
        if (!lip_shape_count(&stage, &count))
            return false;
        *largest = count > *largest ? count : *largest;
        if (axis < p->in.rank)
            stage.dim[axis] = p->out.dim[axis];
    }
    return true;
}

/* Axes first to last, or last to first for the gradient; the axes before the current one have their output size. */
static void run_stages(const lip_interpolation *p, bool back, const double *from, double *to, double *room[2])
{
    int left = 0, turn = 0;
    for (int axis = 0; axis < p->in.rank; axis++)
        left += is_moved(p, axis);
    for (int i = 0; i < p->in.rank; i++) {
        const int axis = back ? p->in.rank - 1 - i : i;
        if (!is_moved(p, axis))
            continue;
        double *target = --left == 0 ? to : room[turn++ % 2];
        const int64_t inner = lip_dims_product(&p->in, axis + 1, p->in.rank);
        resample(p, axis, lip_dims_product(&p->out, 0, axis), inner, back, from, target);
        from = target;
    }
}

static lip_status run(const lip_call *call, const lip_interpolation *p, bool back, lip_error *error)
{
    const double *from = back ? call->out_grad[0] : call->in[0]->f64;
    double *to = back ? call->in_grad[0] : call->out[0]->f64_room;
    int64_t largest = 0;
    int moved = 0;
    for (int axis = 0; axis < p->in.rank; axis++)
        moved += is_moved(p, axis);
    if (moved == 0) {
        memcpy(to, from, (size_t)call->in[0]->count * sizeof *to);
        return LIP_OK;
    }
    if (lip_dims_product(&p->in, 0, p->in.rank) == 0 || lip_dims_product(&p->out, 0, p->out.rank) == 0) {
        memset(to, 0, (size_t)(back ? call->in[0]->count : call->out[0]->count) * sizeof *to);
        return LIP_OK;
    }
    double *room[2] = { NULL, NULL };
    if (moved > 1 && largest_stage(p, &largest))
        for (int i = 0; i < 2; i++)
            room[i] = lip_alloc(call->memory, largest, sizeof(double));
    const bool ready = moved == 1 || (room[0] != NULL && room[1] != NULL);
    if (ready)
        run_stages(p, back, from, to, room);
    lip_free(call->memory, room[0]);
    lip_free(call->memory, room[1]);
    return ready ? LIP_OK : lip_fail_memory(error, call->node, "resampling axis by axis");
}

enum { BAND = 2 * TAPS - 1 };

typedef struct column {
    double magnitudes, gram[BAND]; /* G_xy at y - x + TAPS - 1 */
} column;

typedef struct sums {
    double row, column;       /* R and C */
    double gram, diagonal;    /* the largest row of G, and its largest G_xx */
    double ones;              /* |A 1|^2, of row sums made smaller by their rounding */
} sums;

static sums sums_of(const lip_interpolation *p, int axis, column *columns)
{
    sums s = { 0 };
    for (int64_t o = 0; o < p->out.dim[axis]; o++) {
        const taps t = taps_of(p, axis, o);
        double row = 0, sum = 0;
        for (int i = 0; i < TAPS; i++) {
            row += fabs(t.weight[i]);
            sum += t.weight[i];
            columns[t.at[i]].magnitudes += fabs(t.weight[i]);
            for (int j = 0; j < TAPS; j++)
                columns[t.at[i]].gram[t.at[j] - t.at[i] + TAPS - 1] += t.weight[i] * t.weight[j];
        }
        sum = fmax(0, fabs(sum) - 0x1p-50 * row);
        s.row = fmax(s.row, row);
        s.ones += sum * sum;
    }
    for (int64_t i = 0; i < p->in.dim[axis]; i++) {
        double row = 0;
        for (int k = 0; k < BAND; k++)
            row += fabs(columns[i].gram[k]);
        s.gram = fmax(s.gram, row);
        s.diagonal = fmax(s.diagonal, columns[i].gram[TAPS - 1]);
        s.column = fmax(s.column, columns[i].magnitudes);
    }
    return s;
}

lip_status lip_interpolation_norm(const lip_node *node, const lip_interpolation *p, lip_arena *arena, double *lower,
                                  double *upper, lip_error *error)
{
    double low = 1, high = 1;
    for (int axis = 0; axis < p->in.rank; axis++) {
        if (!is_moved(p, axis) || p->in.dim[axis] == 0)
            continue;
        const double n = (double)p->in.dim[axis], room = (16 * (double)p->out.dim[axis] + 64) * 0x1p-52;
        column *columns = lip_arena_alloc(arena, p->in.dim[axis], sizeof *columns);
        if (columns == NULL)
            return lip_fail_memory(error, node, "its norm");
        const sums s = sums_of(p, axis, columns);
        const double error_of_gram = room * s.row * s.column;
        const double squared = fmax(s.ones / n * (1 - room), lip_down(s.diagonal - error_of_gram));
        low = lip_down(low * fmax(0, lip_down(sqrt(fmax(0, squared)))));
        high = lip_up(high * lip_up(sqrt(lip_up(s.gram + error_of_gram))));
    }
    *lower = fmax(0, low);
    *upper = high;
    return LIP_OK;
}

lip_status lip_interpolation_forward(const lip_call *call, const lip_interpolation *p, lip_error *error)
{
    return run(call, p, false, error);
}

lip_status lip_interpolation_adjoint(const lip_call *call, const lip_interpolation *p, lip_error *error)
{
    return run(call, p, true, error);
}
