/*
 * range_pairs.c: ranges and gains of operators on two tensors that broadcast.
 *
 * For y_j = f(a_p(j), b_q(j)), p and q the broadcasting, and slopes |df/da| <=
 * s_j on the ranges,
 *   |y - y'|^2 <= sum_j s_j^2 |a_p(j) - a'_p(j)|^2 <= max_i (sum_{j: p(j) = i} s_j^2) |a - a'|^2:
 * the gain in a is the root of that maximum, and in b alike. The sums have n
 * terms in floating point, relative error at most gamma_n.
 *
 * Whole numbers that stay in the range of their type are computed exactly (the
 * ends are rounded back to whole numbers); beyond it they wrap, and nothing is
 * known.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"
#include "interval.h"
#include "ranges.h"
#include "support.h"

#include <string.h>

/* y and the slopes in both inputs; `same`: both inputs are one value. */
typedef void pair_rule(lip_interval a, lip_interval b, bool same, lip_interval *y, lip_interval slope[2]);

typedef struct pair_walk {
    const lip_range_call *call;
    pair_rule *rule;
    bool same, whole;
    double *squares[2]; /* per input element: sum of squared slopes; NULL where not wanted */
} pair_walk;

static void put(const pair_walk *w, int64_t at, lip_interval y)
{
    double *lo = &w->call->out[0].lo[at], *hi = &w->call->out[0].hi[at];
    if (w->whole) {
        y = (lip_interval){ceil(y.lo), floor(y.hi)};
        if (!(y.lo >= *lo && y.hi <= *hi && lip_magnitude(y) < 0x1p52)) return; /* it may wrap */
    }
    *lo = y.lo;
    *hi = y.hi;
}

static void walk_row(const pair_walk *w, const lip_broadcast *it)
{
    const lip_span *in = w->call->in;
    for (int64_t i = 0; i < it->row; i++) {
        const int64_t a = it->offset[0] + i * it->step[0], b = it->offset[1] + i * it->step[1];
        lip_interval y, slope[2] = {lip_line(), lip_line()};
        w->rule((lip_interval){in[0].lo[a], in[0].hi[a]}, (lip_interval){in[1].lo[b], in[1].hi[b]}, w->same, &y, slope);
        put(w, it->at + i, y);
        double s = lip_magnitude(slope[0]), t = lip_magnitude(slope[1]);
        if (w->squares[0]) w->squares[0][a] += isnan(s) ? INFINITY : s * s;
        if (w->squares[1]) w->squares[1][b] += isnan(t) ? INFINITY : t * t;
    }
}

/* Root of the largest sum of at most `terms` squares, rounded up; 0: the sums are exact. Squares that underflow are
 * below 2^-1000 in sum. */
static double root_of_largest(const double *squares, int64_t count, double terms)
{
    double largest = 0;
    for (int64_t i = 0; i < count; i++) largest = fmax(largest, squares[i]);
    if (terms == 0) {
        double root = sqrt(largest);
        return fma(root, root, -largest) == 0 ? root : lip_up(root);
    }
    return lip_up(sqrt(lip_up(largest * (1 + (terms + 4) * 0x1p-52)) + 0x1p-1000));
}

static lip_status walk(const lip_range_call *call, pair_rule *rule, bool gains, lip_error *error)
{
    const lip_node *node = call->node;
    pair_walk w = {.call = call, .rule = rule, .same = node->inputs[0] == node->inputs[1]};
    lip_pair pair;
    if (!call->out[0].lo) return LIP_OK;
    w.whole = !lip_dtype_is_real(node->outputs[0]->dtype);
    LIP_TRY(lip_pair_shapes(node, &pair, error));
    for (size_t k = 0; gains && !w.whole && k < 2; k++) {
        if (!lip_input_varies(node, k)) continue;
        w.squares[k] = lip_alloc(call->memory, call->in[k].count, sizeof(double));
        if (!w.squares[k]) {
            lip_free(call->memory, w.squares[0]);
            return lip_fail_memory(error, node, "ranges");
        }
    }
    const lip_shape *operand[] = {&pair.a, &pair.b};
    lip_broadcast it = lip_broadcast_begin(&pair.y, operand, 2);
    do {
        walk_row(&w, &it);
    } while (lip_broadcast_next(&it));
    for (int k = 0; k < 2; k++) {
        if (w.squares[k])
            call->gain[k] = root_of_largest(w.squares[k], call->in[k].count, (double)call->out[0].count);
        lip_free(call->memory, w.squares[k]);
    }
    return LIP_OK;
}

static void add(lip_interval a, lip_interval b, bool same, lip_interval *y, lip_interval slope[2])
{
    (void)same, (void)slope;
    *y = lip_plus(a, b);
}

static void subtract(lip_interval a, lip_interval b, bool same, lip_interval *y, lip_interval slope[2])
{
    (void)slope;
    *y = same ? lip_at(0) : lip_plus(a, lip_negated(b));
}

static void multiply(lip_interval a, lip_interval b, bool same, lip_interval *y, lip_interval slope[2])
{
    *y = same ? lip_squared(a) : lip_times(a, b);
    slope[0] = b;
    slope[1] = a;
}

static void divide(lip_interval a, lip_interval b, bool same, lip_interval *y, lip_interval slope[2])
{
    lip_interval inverse = lip_inverse(b), most = {-lip_magnitude(inverse), lip_magnitude(inverse)};
    const bool pole = b.lo <= 0 && b.hi >= 0;
    *y = pole ? lip_line() : same ? lip_at(1) : lip_times(a, inverse);
    slope[0] = most;
    slope[1] = pole ? lip_line() : lip_times(*y, inverse); /* a / b^2 */
}

/* Cut towards zero. */
static void divide_whole(lip_interval a, lip_interval b, bool same, lip_interval *y, lip_interval slope[2])
{
    divide(a, b, same, y, slope);
    *y = (lip_interval){trunc(y->lo), trunc(y->hi)};
}

lip_status lip_range_add(const lip_range_call *call, lip_error *error)
{
    return walk(call, add, false, error);
}

lip_status lip_range_sub(const lip_range_call *call, lip_error *error)
{
    return walk(call, subtract, false, error);
}

lip_status lip_range_mul(const lip_range_call *call, lip_error *error)
{
    return walk(call, multiply, true, error);
}

lip_status lip_range_div(const lip_range_call *call, lip_error *error)
{
    return walk(call, lip_dtype_is_real(call->in[0].dtype) ? divide : divide_whole, true, error);
}

/* a > 0: a^b is monotone in each; d/da = b y / a, d/db = y log a. */
static void raise(lip_interval a, lip_interval b, bool same, lip_interval *y, lip_interval slope[2])
{
    (void)same;
    *y = lip_line();
    if (b.lo == b.hi) {
        lip_curve_power(a, b.lo, y, &slope[0]);
    } else if (a.lo > 0) {
        lip_interval at_low, at_high, logarithm, unused;
        lip_curve_power(a, b.lo, &at_low, &unused);
        lip_curve_power(a, b.hi, &at_high, &unused);
        *y = lip_hull(at_low, at_high);
        slope[0] = lip_times(b, lip_times(*y, lip_inverse(a)));
        lip_curve_log.on(a, NULL, &logarithm, &unused);
        slope[1] = lip_times(*y, logarithm);
    }
}

lip_status lip_range_pow(const lip_range_call *call, lip_error *error)
{
    if (!lip_dtype_is_real(call->in[0].dtype)) return LIP_OK;
    return walk(call, raise, true, error);
}

/* --------------------------------------------------------- results 0 and 1 */

static lip_interval decided(bool surely, bool never)
{
    return (lip_interval){surely ? 1 : 0, never ? 0 : 1};
}

static void greater(lip_interval a, lip_interval b, bool same, lip_interval *y, lip_interval slope[2])
{
    (void)slope;
    *y = decided(a.lo > b.hi && !same, a.hi <= b.lo || same);
}

static void less(lip_interval a, lip_interval b, bool same, lip_interval *y, lip_interval slope[2])
{
    greater(b, a, same, y, slope);
}

static void greater_or_equal(lip_interval a, lip_interval b, bool same, lip_interval *y, lip_interval slope[2])
{
    (void)slope;
    *y = decided(a.lo >= b.hi || same, a.hi < b.lo && !same);
}

static void less_or_equal(lip_interval a, lip_interval b, bool same, lip_interval *y, lip_interval slope[2])
{
    greater_or_equal(b, a, same, y, slope);
}

static void equal(lip_interval a, lip_interval b, bool same, lip_interval *y, lip_interval slope[2])
{
    (void)slope;
    *y = decided(same || (a.lo == b.hi && a.hi == b.lo), !same && (a.hi < b.lo || a.lo > b.hi));
}

static void both(lip_interval a, lip_interval b, bool same, lip_interval *y, lip_interval slope[2])
{
    (void)slope, (void)same;
    *y = (lip_interval){fmin(a.lo, b.lo), fmin(a.hi, b.hi)};
}

static void either(lip_interval a, lip_interval b, bool same, lip_interval *y, lip_interval slope[2])
{
    (void)slope, (void)same;
    *y = (lip_interval){fmax(a.lo, b.lo), fmax(a.hi, b.hi)};
}

lip_status lip_range_compare(const lip_range_call *call, lip_error *error)
{
    static const struct {
        const char *name;
        pair_rule *rule;
    } rules[] = {{"Equal", equal}, {"Greater", greater}, {"GreaterOrEqual", greater_or_equal}, {"Less", less},
                 {"LessOrEqual", less_or_equal}, {"And", both}, {"Or", either}};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (strcmp(call->node->op_type, rules[i].name) == 0) return walk(call, rules[i].rule, false, error);
    }
    return LIP_OK;
}

/* ------------------------------------------------------------------- Where */

static bool where_shape(const lip_node *node, lip_shape *y)
{
    return lip_shape_broadcast(&node->inputs[0]->shape, &node->inputs[1]->shape, y) &&
           lip_shape_broadcast(y, &node->inputs[2]->shape, y);
}

/* Where the condition is decided everywhere, the gain in a branch is the root of how often an element is taken. */
lip_status lip_range_where(const lip_range_call *call, lip_error *error)
{
    const lip_span *in = call->in;
    const lip_shape *operand[] = {&in[0].shape, &in[1].shape, &in[2].shape};
    lip_shape y;
    bool open = false;
    double *taken[3] = {NULL, lip_alloc(call->memory, in[1].count, sizeof(double)),
                        lip_alloc(call->memory, in[2].count, sizeof(double))};
    if (!call->out[0].lo || !where_shape(call->node, &y) || !taken[1] || !taken[2]) {
        lip_free(call->memory, taken[1]);
        lip_free(call->memory, taken[2]);
        return lip_fail(error, LIP_EUNSUPPORTED, "no range");
    }
    lip_broadcast it = lip_broadcast_begin(&y, operand, 3);
    do {
        for (int64_t i = 0; i < it.row; i++) {
            const int64_t c = it.offset[0] + i * it.step[0];
            const bool may = in[0].hi[c] != 0, may_not = in[0].lo[c] <= 0 && in[0].hi[c] >= 0;
            lip_interval hull = {INFINITY, -INFINITY};
            open = open || (may && may_not);
            for (int k = 1; k < 3; k++) {
                if (!(k == 1 ? may || in[0].lo[c] != 0 : may_not)) continue;
                const int64_t at = it.offset[k] + i * it.step[k];
                hull = lip_hull(hull, (lip_interval){in[k].lo[at], in[k].hi[at]});
                taken[k][at]++;
            }
            call->out[0].lo[it.at + i] = hull.lo;
            call->out[0].hi[it.at + i] = hull.hi;
        }
    } while (lip_broadcast_next(&it));
    for (int k = 1; k < 3; k++) {
        if (!open) call->gain[k] = root_of_largest(taken[k], in[k].count, 0);
        lip_free(call->memory, taken[k]);
    }
    if (!open) call->gain[0] = 0;
    return LIP_OK;
}

/* ---------------------------------------------------------- Max, Min, Cast */

/* An input that is never the extreme moves nothing. */
lip_status lip_range_extreme(const lip_range_call *call, lip_error *error)
{
    const bool largest = strcmp(call->node->op_type, "Max") == 0;
    if (!call->out[0].lo) return LIP_OK;
    LIP_TRY(lip_range_monotone(call, error));
    for (size_t k = 0; k < call->node->input_count; k++) {
        bool idle = lip_shape_equal(&call->in[k].shape, &call->node->outputs[0]->shape);
        for (int64_t i = 0; idle && i < call->out[0].count; i++)
            idle = largest ? call->out[0].lo[i] >= call->in[k].hi[i] : call->out[0].hi[i] <= call->in[k].lo[i];
        if (idle) call->gain[k] = 0;
    }
    return LIP_OK;
}

/* To a bool: "not zero". To other whole numbers: cut, where the type holds it. To a small type: whatever it can hold.
 * Between other reals: the same. */
lip_status lip_range_cast(const lip_range_call *call, lip_error *error)
{
    (void)error;
    const lip_span_room *out = &call->out[0];
    if (!out->lo || lip_dtype_is_small(call->node->outputs[0]->dtype)) return LIP_OK;
    const lip_dtype to = call->node->outputs[0]->dtype;
    for (int64_t i = 0; i < out->count; i++) {
        lip_interval x = {call->in[0].lo[i], call->in[0].hi[i]};
        if (to == LIP_DTYPE_BOOL)
            x = decided(x.lo > 0 || x.hi < 0, x.lo == 0 && x.hi == 0);
        else if (!lip_dtype_is_real(to))
            x = (lip_interval){trunc(x.lo), trunc(x.hi)};
        if (!(x.lo >= out->lo[i] && x.hi <= out->hi[i])) continue; /* it may wrap */
        out->lo[i] = x.lo;
        out->hi[i] = x.hi;
    }
    return LIP_OK;
}

/* ------------------------------------------------------------------ Gather */

/* With indices that are not known: any element along the axis. */
lip_status lip_range_gather(const lip_range_call *call, lip_error *error)
{
    int axis = 0;
    const lip_shape *x = &call->in[0].shape;
    if (call->in[1].constant) return lip_range_monotone(call, error);
    if (!call->out[0].lo) return LIP_OK;
    LIP_TRY(lip_check_axis(call->node, lip_attr_int(call->node, "axis", 0), x->rank, &axis, error));
    const int64_t outer = lip_dims_product(x, 0, axis), n = x->dim[axis];
    const int64_t inner = lip_dims_product(x, axis + 1, x->rank);
    const int64_t picks = call->in[1].count;
    for (int64_t o = 0; o < outer; o++)
        for (int64_t j = 0; j < inner; j++) {
            lip_interval hull = {INFINITY, -INFINITY};
            for (int64_t i = 0; i < n; i++) {
                const int64_t at = (o * n + i) * inner + j;
                hull = lip_hull(hull, (lip_interval){call->in[0].lo[at], call->in[0].hi[at]});
            }
            for (int64_t i = 0; i < picks; i++) {
                call->out[0].lo[(o * picks + i) * inner + j] = hull.lo;
                call->out[0].hi[(o * picks + i) * inner + j] = hull.hi;
            }
        }
    return LIP_OK;
}
