/*
 * range_rules.c: ranges through an operator's own forward.
 *
 * MONOTONE: an output element that is one of the input elements, or the
 * largest or least of some, does not decrease when an element grows: its range
 * is [f(lo), f(hi)], without rounding.
 *
 * WEIGHTED: y = sum_i c_i x_i with c_i >= 0, each coefficient applied with a
 * relative error of at most 8 u and the sum taken in any order over n terms,
 * so that |fl(y) - y| <= gamma_{n+9} sum c_i |x_i| [Higham 2002, section 3.1].
 * f(max(|lo|, |hi|)) is that sum but for the same error. Where no element can
 * be negative, neither can y.
 *
 * PRODUCT: y = f(a, b) bilinear (+ a term in c). For |a - a0| <= r, |b - b0| <= s:
 *   |f(a, b) - f(a0, b0)| <= |f|(r, |b0| + s) + |f|(|a0|, s),
 * |f| the same map with positive coefficients, that is the operator on
 * nonnegative factors up to its common sign. Rounding of f(a0, b0) adds
 * gamma_k |f|(|a0|, |b0|), which goes into r as gamma (|a0| + r). No output
 * element is a sum of more than k = min(elements of a, elements of b) products.
 * A MatMul whose left factor has nonnegative rows of sum 1 takes averages of
 * the right one's rows: its range is also in their hull.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "interval.h"
#include "ranges.h"
#include "support.h"

#include <string.h>

#define MAX_INPUTS 64

/* A sum of n terms is within this of its true value, relative to the sum of magnitudes; inf where n is too large. */
static double gamma_of(int64_t n)
{
    double ku = ((double)n + 12) * 0x1p-53;
    return ku < 0x1p-20 ? 1.001 * ku : INFINITY;
}

/* ---------------------------------------------------------------- monotone */

/* Inputs whose elements go into the result; the others are indices, sizes and the like. */
static bool is_data(const lip_node *node, size_t i, lip_gain_kind kind)
{
    if (i == 0 || kind == LIP_GAIN_JOIN || kind == LIP_GAIN_SUM) return true;
    return kind == LIP_GAIN_CONCAT && strcmp(node->op_type, "Concat") == 0;
}

static bool is_point(const lip_span *span)
{
    for (int64_t i = 0; !span->constant && i < span->count; i++) {
        if (span->lo[i] != span->hi[i]) return false;
    }
    return true;
}

static lip_status check_fixed(const lip_range_call *call, lip_gain_kind kind, lip_error *error)
{
    if (call->node->input_count > MAX_INPUTS || call->node->output_count > MAX_INPUTS)
        return lip_fail(error, LIP_EUNSUPPORTED, "it has too many inputs or outputs");
    for (size_t i = 0; i < call->node->input_count; i++) {
        if (call->in[i].lo && !is_data(call->node, i, kind) && !is_point(&call->in[i]))
            return lip_fail(error, LIP_EUNSUPPORTED, "an index depends on the input");
    }
    return LIP_OK;
}

static lip_status both_ends(const lip_range_call *call, lip_error *error)
{
    const lip_node *node = call->node;
    const bool all = strcmp(node->op_type, "Split") == 0; /* its other outputs are copies as well */
    const double *lo[MAX_INPUTS], *hi[MAX_INPUTS];
    double *out_lo[MAX_INPUTS] = {0}, *out_hi[MAX_INPUTS] = {0};
    for (size_t i = 0; i < node->input_count; i++) {
        lo[i] = call->in[i].lo;
        hi[i] = call->in[i].hi;
    }
    for (size_t i = 0; i < node->output_count && (i == 0 || all); i++) {
        out_lo[i] = call->out[i].lo;
        out_hi[i] = call->out[i].hi;
    }
    LIP_TRY(lip_range_forward(call, lo, out_lo, error));
    return lip_range_forward(call, hi, out_hi, error);
}

static bool is_whole(const lip_node *node)
{
    return node->outputs[0] && !lip_dtype_is_real(node->outputs[0]->dtype);
}

lip_status lip_range_monotone(const lip_range_call *call, lip_error *error)
{
    LIP_TRY(check_fixed(call, call->node->op->gain.kind, error));
    return both_ends(call, error);
}

/* ---------------------------------------------------------------- weighted */

/* The largest magnitudes; whether no element can be negative. */
static bool magnitudes(const lip_span *span, double *to)
{
    bool positive = true;
    for (int64_t i = 0; i < span->count; i++) {
        to[i] = fmax(fabs(span->lo[i]), fabs(span->hi[i]));
        positive = positive && span->lo[i] >= 0;
    }
    return positive;
}

static lip_status widen(const lip_range_call *call, double **abs, double *sum, lip_error *error)
{
    const lip_node *node = call->node;
    int64_t terms = 0;
    bool positive = true;
    const double *in[MAX_INPUTS] = {0};
    for (size_t i = 0; i < node->input_count; i++) {
        if (!call->in[i].lo) continue;
        terms += call->in[i].count;
        if (!abs[i]) continue;
        positive = magnitudes(&call->in[i], abs[i]) && positive;
        in[i] = abs[i];
    }
    double *out[MAX_INPUTS] = {sum}, gamma = 2 * gamma_of(terms);
    LIP_TRY(lip_range_forward(call, in, out, error));
    for (int64_t i = 0; i < call->out[0].count; i++) {
        double error_of = gamma * fabs(sum[i]) + 0x1p-1000;
        call->out[0].lo[i] = lip_down(call->out[0].lo[i] - error_of);
        call->out[0].hi[i] = lip_up(call->out[0].hi[i] + error_of);
        if (positive && call->out[0].lo[i] < 0) call->out[0].lo[i] = 0;
    }
    return LIP_OK;
}

lip_status lip_range_weighted(const lip_range_call *call, lip_error *error)
{
    const lip_node *node = call->node;
    const lip_gain_kind kind = node->op->gain.kind;
    double *abs[MAX_INPUTS] = {0};
    if (!call->out[0].lo || is_whole(node)) return LIP_OK;
    LIP_TRY(check_fixed(call, kind, error));
    LIP_TRY(both_ends(call, error));
    double *sum = lip_alloc(call->memory, call->out[0].count, sizeof *sum);
    bool fine = sum != NULL;
    for (size_t i = 0; fine && i < node->input_count; i++) {
        if (!call->in[i].lo || !is_data(node, i, kind)) continue;
        abs[i] = lip_alloc(call->memory, call->in[i].count, sizeof *abs[i]);
        fine = abs[i] != NULL;
    }
    lip_status status = fine ? widen(call, abs, sum, error) : lip_fail_memory(error, node, "ranges");
    for (size_t i = 0; i < node->input_count; i++) lip_free(call->memory, abs[i]);
    lip_free(call->memory, sum);
    return status;
}

/* ----------------------------------------------------------------- product */

/* A factor as centre and radius; an element without bounds: 0 and inf. */
typedef struct factor {
    double *centre, *radius, *size, *magnitude; /* size >= |centre|, magnitude >= size + radius */
} factor;

static bool factor_open(const lip_range_call *call, size_t i, factor *f)
{
    const lip_span *span = &call->in[i];
    double *block = lip_alloc(call->memory, 4 * span->count, sizeof *block);
    if (!block) return false;
    *f = (factor){block, block + span->count, block + 2 * span->count, block + 3 * span->count};
    for (int64_t k = 0; k < span->count; k++) {
        double lo = span->lo[k], hi = span->hi[k];
        bool finite = isfinite(lo) && isfinite(hi);
        f->centre[k] = finite ? (lo == hi ? lo : 0.5 * lo + 0.5 * hi) : 0;
        f->radius[k] = !finite ? INFINITY : lo == hi ? 0 : lip_up(fmax(hi - f->centre[k], f->centre[k] - lo));
        f->size[k] = fabs(f->centre[k]);
        f->magnitude[k] = lip_up(f->size[k] + f->radius[k]);
    }
    return true;
}

static void add_error(const factor *f, int64_t count, double gamma)
{
    for (int64_t k = 0; k < count; k++) f->radius[k] = lip_up(f->radius[k] + lip_up(gamma * f->magnitude[k]));
}

/* More workspace: the centre of the result is in out.lo, its radius gathers in out.hi. */
typedef struct product {
    factor f[3];
    double *part;
    int count; /* 2 or 3 */
} product;

static lip_status add_part(const lip_range_call *call, const product *p, const double *a, const double *b,
                           const double *c, lip_error *error)
{
    const double *in[3] = {a, b, c};
    double *out[] = {p->part}, *radius = call->out[0].hi;
    LIP_TRY(lip_range_forward(call, in, out, error));
    for (int64_t i = 0; i < call->out[0].count; i++) radius[i] += fabs(p->part[i]);
    return LIP_OK;
}

static lip_status centre_and_radius(const lip_range_call *call, const product *p, double gamma, lip_error *error)
{
    const factor *f = p->f;
    const bool addend = p->count == 3;
    double *centre[] = {call->out[0].lo};
    for (int64_t i = 0; i < call->out[0].count; i++) call->out[0].hi[i] = 0;
    const double *middle[] = {f[0].centre, f[1].centre, addend ? f[2].centre : NULL};
    LIP_TRY(lip_range_forward(call, middle, centre, error));
    add_error(&f[0], call->in[0].count, gamma);
    if (addend) add_error(&f[2], call->in[2].count, gamma);
    const double *rest = addend ? f[2].radius : NULL;
    LIP_TRY(add_part(call, p, f[0].radius, f[1].magnitude, rest, error));
    if (is_point(&call->in[1])) return LIP_OK;
    return add_part(call, p, f[0].size, f[1].radius, rest, error);
}

/* Index of the matrix of operand `shape` that meets matrix `b` of the batch of y. */
static int64_t matrix_at(const lip_shape *shape, const lip_shape *y, int64_t b)
{
    int64_t at = 0, stride = 1;
    for (int d = y->rank - 3; d >= 0; d--) {
        int own = d - (y->rank - shape->rank);
        int64_t index = b % y->dim[d];
        b /= y->dim[d];
        if (own < 0) continue;
        if (shape->dim[own] != 1) at += index * stride;
        stride *= shape->dim[own];
    }
    return at;
}

/* Rows of a matrix of B hulled: y is an average of them. */
static void average(const lip_range_call *call)
{
    const lip_shape *b = &call->in[1].shape, *y = &call->node->outputs[0]->shape;
    const int64_t k = b->dim[b->rank - 2], n = b->dim[b->rank - 1], m = y->dim[y->rank - 2];
    for (int64_t i = 0; i < lip_dims_product(y, 0, y->rank - 2); i++)
        for (int64_t j = 0; j < n; j++) {
            const int64_t from = matrix_at(b, y, i) * k * n + j;
            lip_interval hull = {INFINITY, -INFINITY};
            for (int64_t l = 0; l < k; l++)
                hull = lip_hull(hull, (lip_interval){call->in[1].lo[from + l * n], call->in[1].hi[from + l * n]});
            for (int64_t l = 0; l < m; l++) {
                const int64_t at = (i * m + l) * n + j;
                call->out[0].lo[at] = fmax(call->out[0].lo[at], hull.lo);
                call->out[0].hi[at] = fmin(call->out[0].hi[at], hull.hi);
            }
        }
}

static bool averages(const lip_range_call *call)
{
    return call->in[0].stochastic && strcmp(call->node->op_type, "MatMul") == 0 && call->in[0].shape.rank >= 2 &&
           call->in[1].shape.rank >= 2 && call->in[0].count > 0 && call->in[1].count > 0;
}

static void finish_product(const lip_range_call *call, double gamma)
{
    for (int64_t i = 0; i < call->out[0].count; i++) {
        double centre = call->out[0].lo[i], radius = call->out[0].hi[i] * (1 + 4 * gamma);
        bool finite = isfinite(centre) && isfinite(radius);
        radius += 0x1p-1000; /* underflow */
        call->out[0].lo[i] = finite ? lip_down(centre - radius) : -INFINITY;
        call->out[0].hi[i] = finite ? lip_up(centre + radius) : INFINITY;
    }
    if (averages(call)) average(call);
}

static void forget(const lip_range_call *call)
{
    for (int64_t i = 0; i < call->out[0].count; i++) {
        call->out[0].lo[i] = -INFINITY;
        call->out[0].hi[i] = INFINITY;
    }
    if (averages(call)) average(call);
}

lip_status lip_range_product(const lip_range_call *call, lip_error *error)
{
    const lip_node *node = call->node;
    product p = {.count = node->input_count > 2 && call->in[2].lo ? 3 : 2};
    const double gamma =
        gamma_of(call->in[0].count < call->in[1].count ? call->in[0].count : call->in[1].count);
    const double signs = lip_attr_float(node, "alpha", 1) * lip_attr_float(node, "beta", 1);
    if (!call->out[0].lo || is_whole(node) || node->input_count > 3 || node->output_count > 1 || isinf(gamma) ||
        !(signs >= 0 || p.count == 2))
        return LIP_OK;
    bool fine = (p.part = lip_alloc(call->memory, call->out[0].count, sizeof *p.part)) != NULL;
    for (int i = 0; fine && i < p.count; i++) fine = factor_open(call, (size_t)i, &p.f[i]);
    lip_status status = fine ? centre_and_radius(call, &p, gamma, error) : lip_fail_memory(error, node, "ranges");
    for (int i = 0; i < p.count; i++) lip_free(call->memory, p.f[i].centre);
    lip_free(call->memory, p.part);
    if (status == LIP_OK)
        finish_product(call, gamma);
    else
        forget(call);
    return LIP_OK;
}

/* ------------------------------------------------- elementwise, as described */

lip_status lip_range_curve(const lip_range_call *call, lip_error *error)
{
    const lip_curve *curve = call->node->op->curve;
    double p[LIP_CURVE_PARAMETERS] = {0}, largest = 0;
    (void)error;
    if (!call->out[0].lo || !lip_dtype_is_real(call->in[0].dtype)) return LIP_OK;
    if (curve->parameters && !curve->parameters(call->node, p)) return LIP_OK;
    for (int64_t i = 0; i < call->in[0].count; i++) {
        lip_interval y, slope;
        curve->on((lip_interval){call->in[0].lo[i], call->in[0].hi[i]}, p, &y, &slope);
        call->out[0].lo[i] = y.lo;
        call->out[0].hi[i] = y.hi;
        if (call->in[0].lo[i] == call->in[0].hi[i]) continue; /* it does not move */
        double steepest = lip_magnitude(slope);
        largest = isnan(steepest) ? INFINITY : fmax(largest, steepest);
    }
    call->gain[0] = largest;
    double lost = curve->attained * fmax(1, largest);
    *call->gain_lower = isfinite(largest) && isfinite(lost) ? fmax(0, lip_down(largest - lost)) : 0;
    if (isfinite(largest) && curve->attained == 0) *call->gain_lower = largest;
    return LIP_OK;
}

lip_status lip_range_described(const lip_range_call *call, lip_error *error)
{
    lip_arena arena;
    lip_gain gain = call->node->op->gain;
    lip_arena_init(&arena, call->memory);
    lip_status status = call->node->op->describe(call->node, &arena, &gain, error);
    lip_arena_free(&arena);
    if (status != LIP_OK) return status;
    if (gain.kind == LIP_GAIN_ISOMETRY) return lip_range_monotone(call, error);
    return gain.kind == LIP_GAIN_NONNEGATIVE ? lip_range_weighted(call, error) : LIP_OK;
}
