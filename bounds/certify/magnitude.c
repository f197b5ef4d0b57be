/*
 * magnitude.c: see magnitude.h.
 *
 * A matrix. For N >= 0 and any p > 0, ||N||_2^2 = rho(N'N) <= max_j (N'N p)_j / p_j [Collatz 1942, Wielandt 1950]. The
 * lines of the matrix are read once per product: y_i = n_i p, z += y_i n_i. Nothing cancels, so that with c columns and
 * r lines, z is within a factor 1 +- gamma_{c+r+8} of the truth (a folded weight: four roundings). A few steps come
 * within a percent of the norm, as the Perron vector of a matrix of weights lies far from all others.
 *
 * A convolution. Let x_{i,q} be the elements of input channel i at positions congruent to q modulo the stride, y_o the
 * output channel o. y_o = sum over i and taps t of w_{oit} times a subsequence of x_{i,q(t)}, q(t) = t d - p mod s,
 * each of its elements taken at most once; hence ||y_o|| <= sum_{i,q} N_{o,iq} ||x_{iq}||, N_{o,iq} = sum_{t: q(t) = q}
 * |w_{oit}|, and ||y|| <= ||N||_2 ||x||, as the ||x_{iq}||^2 add up to ||x||^2. Zero padding only leaves out elements.
 * A shift of q renames columns. A transposed convolution is the adjoint: the same norm.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "magnitude.h"
#include "linear/dense.h"
#include "rounding.h"

#include <string.h>

enum { STEPS = 8 };

/* Nonnegative lines of one length. */
typedef struct lines {
    int64_t count, width;
    const void *context;
    void (*read)(const void *context, int64_t line, double *to);
} lines;

/* z = N'N p; returns max z_j / p_j, inf if there is a NaN. */
static double product(const lines *n, const double *p, double *z, double *line)
{
    double ratio = 0;
    memset(z, 0, (size_t)n->width * sizeof *z);
    for (int64_t i = 0; i < n->count; i++) {
        double y = 0;
        n->read(n->context, i, line);
        for (int64_t j = 0; j < n->width; j++)
            y += line[j] * p[j];
        for (int64_t j = 0; j < n->width; j++)
            z[j] += y * line[j];
    }
    for (int64_t j = 0; j < n->width; j++) {
        double here = z[j] / p[j];
        ratio = isnan(here) ? (double)INFINITY : fmax(ratio, here);
    }
    return ratio;
}

/* work: 3 * width doubles. */
static double norm_of(const lines *n, double *work)
{
    double *p = work, *z = work + n->width, *line = z + n->width, best = (double)INFINITY;
    for (int64_t j = 0; j < n->width; j++)
        p[j] = 1;
    for (int step = 0; step < STEPS; step++) {
        double ratio = product(n, p, z, line), largest = 0;
        bool settled = !(ratio < best * 0.99);
        best = fmin(best, ratio);
        for (int64_t j = 0; j < n->width; j++)
            largest = fmax(largest, z[j]);
        if (settled || !isfinite(best) || largest == 0)
            break;
        for (int64_t j = 0; j < n->width; j++)
            p[j] = fmax(z[j] / largest, 0x1p-40);
    }
    /* products below 2^-1022 lose their relative error, not more than this */
    double tiny = (double)n->width * (double)n->count * 0x1p-1000;
    double gamma = lip_gamma((double)n->width + (double)n->count + 12);
    return lip_sqrt_up(lip_add_up(lip_mul_up(best, 1 + 3 * gamma), best > 0 ? tiny : 0));
}

static lip_status bound(const lines *n, lip_memory *memory, double *upper, lip_error *error)
{
    double *work = lip_alloc(memory, 3 * n->width, sizeof *work);
    if (!work)
        return lip_fail(error, LIP_EMEMORY, "three vectors of a linear operator pass the memory cap");
    *upper = fmax(*upper, norm_of(n, work));
    lip_free(memory, work);
    return LIP_OK;
}

/* ------------------------------------------------------------------- dense */

typedef struct dense_lines {
    const lip_dense *dense;
    const lip_scale *line_scale, *step_scale;
    int64_t base, width, line_stride, step;
} dense_lines;

static void read_dense(const void *context, int64_t line, double *to)
{
    const dense_lines *d = context;
    const lip_tensor *weight = d->dense->weight;
    int64_t at = d->base + line * d->line_stride;
    double factor = fabs(d->dense->alpha * lip_scale_at(d->line_scale, line));
    if (weight->storage == LIP_F32)
        for (int64_t j = 0; j < d->width; j++)
            to[j] = fabs((double)weight->f32[at + j * d->step]);
    else
        for (int64_t j = 0; j < d->width; j++)
            to[j] = fabs(lip_tensor_real(weight, at + j * d->step));
    for (int64_t j = 0; factor != 1 && j < d->width; j++)
        to[j] *= factor;
    for (int64_t j = 0; d->step_scale && j < d->width; j++)
        to[j] *= fabs(lip_scale_at(d->step_scale, j));
}

static lip_status dense(const lip_dense *a, const lip_scale *before, const lip_scale *after, lip_memory *memory,
                        lip_magnitude *out, lip_error *error)
{
    bool by_rows = a->row_stride >= a->col_stride; /* lines lie closest together in memory */
    dense_lines source = { a, by_rows ? after : before, by_rows ? before : after, 0, by_rows ? a->cols : a->rows,
                           by_rows ? a->row_stride : a->col_stride, by_rows ? a->col_stride : a->row_stride };
    lines n = { by_rows ? a->rows : a->cols, source.width, &source, read_dense };
    lip_status status = LIP_OK;
    *out = (lip_magnitude) { 0, (double)a->cols, (double)a->rows * (double)a->multiplicity };
    for (int64_t b = 0; b < a->batch && status == LIP_OK; b++) {
        source.base = b * a->batch_stride;
        status = bound(&n, memory, &out->upper, error);
    }
    out->upper = lip_mul_up(out->upper, lip_sqrt_up((double)a->multiplicity));
    return status;
}

/* ------------------------------------------------------------- convolution */

static void read_matrix(const void *context, int64_t line, double *to)
{
    const lip_matrix *m = context;
    memcpy(to, m->elements + line * m->cols, (size_t)m->cols * sizeof *to);
}

/* Which class modulo the stride tap t belongs to, and how many classes there are. */
static int64_t class_of(const lip_conv *c, int64_t tap, int64_t *classes)
{
    int64_t class = 0;
    *classes = 1;
    for (int d = c->dims - 1; d >= 0; d--) {
        class += tap % c->k[d] * c->dilation[d] % c->stride[d] * *classes;
        *classes *= c->stride[d];
        tap /= c->k[d];
    }
    return class;
}

/* N of one group, times the scales. */
static void fill_group(const lip_conv *c, const lip_scale *on_in, const lip_scale *on_out, int64_t group,
                       int64_t classes, double *matrix)
{
    int64_t ci = c->c_in / c->groups, co = c->c_out / c->groups, taps = lip_conv_weight_count(c) / (c->c_out * ci);
    int64_t unused;
    memset(matrix, 0, (size_t)(co * ci * classes) * sizeof *matrix);
    for (int64_t o = 0; o < co; o++)
        for (int64_t i = 0; i < ci; i++) {
            double factor = fabs(lip_scale_at(on_out, group * co + o) * lip_scale_at(on_in, group * ci + i));
            int64_t at = ((group * co + o) * ci + i) * taps;
            for (int64_t t = 0; t < taps; t++)
                matrix[(o * ci + i) * classes + class_of(c, t, &unused)] +=
                    fabs(lip_tensor_real(c->weight, at + t)) * factor;
        }
}

static lip_status convolution(const lip_conv *c, const lip_scale *before, const lip_scale *after, lip_memory *memory,
                              lip_magnitude *out, lip_error *error)
{
    const lip_scale *on_out = c->transposed ? before : after, *on_in = c->transposed ? after : before;
    int64_t ci = c->c_in / c->groups, co = c->c_out / c->groups, classes, width, size;
    double taps = 1;
    class_of(c, 0, &classes);
    for (int d = 0; d < c->dims; d++)
        taps *= (double)c->k[d];
    *out = (lip_magnitude) { 0, (double)ci * taps, (double)co * taps };
    if (c->transposed)
        *out = (lip_magnitude) { 0, (double)co * taps, (double)ci * taps };
    double *matrix = lip_size_mul(ci, classes, &width) && lip_size_mul(width, co, &size)
                         ? lip_alloc(memory, size, sizeof *matrix) : NULL;
    if (!matrix)
        return lip_fail(error, LIP_EMEMORY, "the sums of a convolution's weights pass the memory cap");
    lip_status status = LIP_OK;
    for (int64_t g = 0; g < c->groups && status == LIP_OK; g++) {
        fill_group(c, on_in, on_out, g, classes, matrix);
        lip_matrix m = { matrix, co, width };
        status = bound(&(lines) { co, width, &m, read_matrix }, memory, &out->upper, error);
    }
    lip_free(memory, matrix);
    return status;
}

lip_status lip_magnitude_of(const lip_gain *gain, const lip_scale *before, const lip_scale *after, lip_memory *memory,
                            lip_magnitude *out, lip_error *error)
{
    lip_status status = gain->kind == LIP_GAIN_CONV ? convolution(&gain->conv, before, after, memory, out, error)
                                                    : dense(&gain->dense, before, after, memory, out, error);
    out->upper = status == LIP_OK ? lip_mul_up(out->upper, 1 + 0x1p-38) : out->upper; /* folding, and sums over taps */
    return status;
}
