/*
 * range_norms.c: ranges and gains of normalisations.
 *
 * Layer, instance, group and RMS normalisation of a block of N elements
 * (normalize.h): y = gamma z / s + beta, s^2 = |z|^2 / N + eps. On a box
 *   |z|^2 >= min over c of Q(c) = sum_i dist(c, [lo_i, hi_i])^2   (c = 0 for RMS)
 * since |z|^2 = min_c sum (x_i - c)^2. Q is convex and its minimum lies in
 * [min hi, max lo] (or is 0, where all intervals share a point): at any c0 there
 *   min Q >= Q(c0) - |Q'(c0)| (max lo - min hi),
 * and bisection makes Q'(c0) small. The gain on the box is max |gamma| / s_min
 * (normalize.h). |z|^2 <= sum max |x_i - c|^2 for every c. And whatever the
 * box, |z_i| / s <= sqrt(N - 1) (from sum z = 0: z_i^2 <= (N - 1) / N |z|^2
 * [Samuelson 1968]), sqrt(N) for RMS.
 *
 * Softmax: p_i = e^x_i / (e^x_i + sum_{j != i} e^x_j) increases with x_i and
 * decreases with x_j. Its Jacobian diag(p) - p p' has the norm at most max p_i
 * (it is diag(p) less a psd matrix), max 2 p_i (1 - p_i) [Gershgorin], and 1/2.
 *
 * Sums of n terms of one sign have a relative error of at most gamma_n; every
 * term here has one of a few units.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "interval.h"
#include "ranges.h"
#include "reduce.h"
#include "slices.h"
#include "support.h"

enum { BISECTIONS = 60 };

static double relative_error(int64_t n) { return ((double)n + 16) * 0x1p-52; }

/* ------------------------------------------------------ a block's deviation */

typedef struct block {
    const double *lo, *hi;
    int64_t n;
} block;

static double distance(const block *b, int64_t i, double c)
{
    return c < b->lo[i] ? b->lo[i] - c : c > b->hi[i] ? c - b->hi[i] : 0;
}

/* sum (c - nearest point): half of Q'(c). */
static double half_slope(const block *b, double c, double *sizes)
{
    double slope = 0, total = 0;
    for (int64_t i = 0; i < b->n; i++) {
        double d = distance(b, i, c);
        slope += c < b->lo[i] ? -d : d;
        total += d;
    }
    *sizes = total;
    return slope;
}

static double least_squares(const block *b, bool centred)
{
    double left = INFINITY, right = -INFINITY, c = 0, slope = 0, sizes = 0, sum = 0;
    for (int64_t i = 0; i < b->n; i++) {
        left = fmin(left, b->hi[i]);
        right = fmax(right, b->lo[i]);
    }
    if (centred && (left >= right || isinf(left) || isinf(right))) return 0;
    double from = left, to = right;
    for (int step = 0; centred && step < BISECTIONS; step++) {
        c = 0.5 * from + 0.5 * to;
        slope = half_slope(b, c, &sizes);
        if (slope < 0) from = c;
        else to = c;
    }
    for (int64_t i = 0; i < b->n; i++) sum += distance(b, i, c) * distance(b, i, c);
    double error = relative_error(b->n), tilt = centred ? 2 * (fabs(slope) + error * sizes) * (right - left) : 0;
    double least = sum * (1 - error) - tilt * (1 + error);
    return least > 0 ? lip_down(least) : 0; /* NaN: 0 */
}

static double most_squares(const block *b, bool centred)
{
    double c = 0, sum = 0;
    for (int64_t i = 0; centred && i < b->n; i++) c += (0.5 * b->lo[i] + 0.5 * b->hi[i]) / (double)b->n;
    if (!isfinite(c)) return INFINITY;
    for (int64_t i = 0; i < b->n; i++) {
        double d = fmax(fabs(b->lo[i] - c), fabs(b->hi[i] - c));
        sum += d * d;
    }
    return lip_up(sum * (1 + relative_error(b->n)) + 0x1p-1000);
}

static lip_interval mean_of(const block *b)
{
    double lo = 0, hi = 0, size = 0, n = (double)b->n;
    for (int64_t i = 0; i < b->n; i++) {
        lo += b->lo[i];
        hi += b->hi[i];
        size += fmax(fabs(b->lo[i]), fabs(b->hi[i]));
    }
    double error = relative_error(b->n) * size + 0x1p-1000;
    return lip_interval_checked(lip_down((lo - error) / n), lip_up((hi + error) / n));
}

double lip_range_standardize(const double *lo, const double *hi, int64_t n, bool centred, double eps, double *f_lo,
                             double *f_hi)
{
    const block b = {lo, hi, n};
    const double count = (double)n, most = lip_up(sqrt(centred ? count - 1 : count));
    const lip_interval squares = {least_squares(&b, centred), most_squares(&b, centred)};
    const lip_interval variance = lip_times(squares, lip_inverse(lip_at(count)));
    const lip_interval deviation = lip_root(lip_plus((lip_interval){fmax(0, variance.lo), variance.hi}, lip_at(eps)));
    const lip_interval mean = centred ? mean_of(&b) : lip_at(0), inverse = lip_inverse(deviation);
    for (int64_t i = 0; i < n; i++) {
        lip_interval f = lip_times(lip_plus((lip_interval){lo[i], hi[i]}, lip_negated(mean)), inverse);
        f = lip_clamped(f, -most, most);
        f_lo[i] = f.lo;
        f_hi[i] = f.hi;
    }
    return centred && n == 1 ? 0 : inverse.hi;
}

/* Scales and shifts a block that was standardised; returns the largest |scale|. */
static double scale_block(const lip_range_call *call, const lip_normalize *n, int64_t index)
{
    const lip_span *gamma = &call->in[1];
    const lip_span *shift = call->node->input_count > 2 && call->in[2].lo ? &call->in[2] : NULL;
    double largest = 0;
    for (int64_t k = 0; k < n->count; k++) {
        const int64_t p = index % n->period * n->per_block + k / n->run, at = index * n->count + k;
        const lip_interval scale = {gamma->lo[p], gamma->hi[p]};
        lip_interval f = lip_times((lip_interval){call->out[0].lo[at], call->out[0].hi[at]}, scale);
        if (shift) f = lip_plus(f, (lip_interval){shift->lo[p], shift->hi[p]});
        call->out[0].lo[at] = f.lo;
        call->out[0].hi[at] = f.hi;
        largest = fmax(largest, lip_magnitude(scale));
    }
    return largest;
}

lip_status lip_range_normalize(const lip_range_call *call, const lip_normalize *n, lip_error *error)
{
    const lip_node *node = call->node;
    double gain = 0;
    (void)error;
    if (!call->out[0].lo) return LIP_OK;
    for (int64_t i = 0; i < n->blocks; i++) {
        const int64_t at = i * n->count;
        const double inverse = lip_range_standardize(call->in[0].lo + at, call->in[0].hi + at, n->count, n->centred,
                                                     n->eps, call->out[0].lo + at, call->out[0].hi + at);
        const double slope = lip_product(scale_block(call, n, i), inverse);
        gain = isnan(slope) ? INFINITY : fmax(gain, slope == 0 ? 0 : lip_up(slope));
    }
    for (size_t i = 1; i < node->output_count; i++)
        if (node->outputs[i] && node->outputs[i]->consumers > 0) return LIP_OK;
    call->gain[0] = gain;
    return LIP_OK;
}

lip_status lip_range_batch_normalization(const lip_range_call *call, lip_error *error)
{
    const lip_span *in = call->in;
    const lip_shape *x = &in[0].shape;
    const int64_t channels = in[1].count;
    const double eps = lip_attr_float(call->node, "epsilon", 1e-5F);
    (void)error;
    if (!call->out[0].lo || call->node->input_count != 5 || in[0].count == 0 ||
        lip_attr_int(call->node, "training_mode", 0) != 0) /* its statistics are not inputs */
        return LIP_OK;
    const int64_t positions = lip_dims_product(x, 2, x->rank);
    for (int64_t i = 0; i < in[0].count; i++) {
        const int64_t c = i / positions % channels;
        const lip_interval deviation = lip_root(lip_plus((lip_interval){in[4].lo[c], in[4].hi[c]}, lip_at(eps)));
        const lip_interval factor = lip_times((lip_interval){in[1].lo[c], in[1].hi[c]}, lip_inverse(deviation));
        const lip_interval centred = lip_plus((lip_interval){in[0].lo[i], in[0].hi[i]},
                                              (lip_interval){-in[3].hi[c], -in[3].lo[c]});
        const lip_interval y = lip_plus(lip_times(centred, factor), (lip_interval){in[2].lo[c], in[2].hi[c]});
        call->out[0].lo[i] = y.lo;
        call->out[0].hi[i] = y.hi;
    }
    return LIP_OK;
}

/* ----------------------------------------------------------------- Softmax */

/* The largest of min(p, 2 p (1 - p)) parts: for a bound that needs the maximum over i of each. */
static double widest(lip_interval p)
{
    double at = p.lo > 0.5 ? p.lo : p.hi < 0.5 ? p.hi : 0.5;
    return lip_up(lip_up(2 * at) * lip_up(1 - at));
}

/* One slice of n elements, `step` apart. Returns a bound of the Jacobian's norm. */
static double soften(const double *x_lo, const double *x_hi, double *lo, double *hi, int64_t n, int64_t step)
{
    double top = -INFINITY, low_sum = 0, high_sum = 0, largest = 0, spread = 0;
    const double error = 0x1p-41 + relative_error(n), tiny = 0x1p-1000;
    for (int64_t i = 0; i < n; i++) top = fmax(top, x_hi[i * step]);
    for (int64_t i = 0; isfinite(top) && i < n; i++) {
        low_sum += exp(x_lo[i * step] - top);
        high_sum += exp(x_hi[i * step] - top);
    }
    for (int64_t i = 0; i < n; i++) {
        lip_interval p = {0, 1};
        if (isfinite(top)) {
            const double low = exp(x_lo[i * step] - top), high = exp(x_hi[i * step] - top);
            const double others_high = fmax(0, high_sum - high) + error * high_sum + tiny;
            const double others_low = (low_sum - low) - error * low_sum - (double)n * tiny;
            p.lo = fmax(0, low / (low + others_high) * (1 - 4 * error) - tiny);
            if (others_low > 0) p.hi = fmin(1, (high + tiny) / (high + tiny + others_low) * (1 + 4 * error));
        }
        if (n == 1) p = lip_at(1);
        lo[i * step] = p.lo;
        hi[i * step] = p.hi;
        largest = fmax(largest, p.hi);
        spread = fmax(spread, widest(p));
    }
    return n == 1 ? 0 : fmin(0.5, fmin(largest, spread));
}

lip_status lip_range_softmax(const lip_range_call *call, lip_error *error)
{
    lip_slices s = {0};
    double gain = 0;
    LIP_TRY(lip_slices_of_softmax(call->node, &s, error));
    if (!call->out[0].lo) return LIP_OK;
    for (int64_t k = 0; k < s.outer * s.inner; k++) {
        const int64_t at = k / s.inner * s.count * s.inner + k % s.inner;
        gain = fmax(gain, soften(call->in[0].lo + at, call->in[0].hi + at, call->out[0].lo + at, call->out[0].hi + at,
                                 s.count, s.inner));
    }
    const lip_shape *x = &call->in[0].shape;
    call->gain[0] = gain;
    call->out[0].stochastic = x->rank > 0 && s.inner == 1 && s.count == x->dim[x->rank - 1];
    return LIP_OK;
}

/* max lo <= log sum e^x <= max hi + log n. */
lip_status lip_range_log_softmax(const lip_range_call *call, lip_error *error)
{
    lip_slices s = {0};
    LIP_TRY(lip_slices_of_softmax(call->node, &s, error));
    for (int64_t k = 0; call->out[0].lo && k < s.outer * s.inner; k++) {
        const int64_t at = k / s.inner * s.count * s.inner + k % s.inner;
        lip_interval top = {-INFINITY, -INFINITY};
        for (int64_t i = 0; i < s.count; i++) {
            top.lo = fmax(top.lo, call->in[0].lo[at + i * s.inner]);
            top.hi = fmax(top.hi, call->in[0].hi[at + i * s.inner]);
        }
        top.hi = lip_up(top.hi + lip_up(log((double)s.count) * (1 + 0x1p-50)));
        for (int64_t i = 0; i < s.count; i++) {
            const int64_t j = at + i * s.inner;
            lip_interval y = lip_plus((lip_interval){call->in[0].lo[j], call->in[0].hi[j]}, lip_negated(top));
            call->out[0].lo[j] = y.lo;
            call->out[0].hi[j] = fmin(0, y.hi);
        }
    }
    return LIP_OK;
}

/* ------------------------------------------------------- x / |x| and norms */

/*
 * p = 2: the Jacobian of x / |x| is (I - y y') / |x|: its norm is at most 1 / |x|. p = 1: (I - y sign(x)') / |x|_1, at
 * most (1 + |y|_2 sqrt n) / |x|_1 <= (1 + sqrt n) / |x|_1.
 */
lip_status lip_range_lp_normalization(const lip_range_call *call, lip_error *error)
{
    int axis = 0;
    const lip_span *x = &call->in[0];
    LIP_TRY(lip_check_axis(call->node, lip_attr_int(call->node, "axis", -1), x->shape.rank, &axis, error));
    const lip_slices s = lip_slices_around(&x->shape, axis, axis + 1);
    const bool taxi = lip_attr_int(call->node, "p", 2) == 1;
    const double round = relative_error(s.count);
    double gain = 0;
    for (int64_t k = 0; k < s.outer * s.inner; k++) {
        const int64_t at = k / s.inner * s.count * s.inner + k % s.inner;
        double least = 0;
        for (int64_t i = 0; i < s.count; i++) {
            const int64_t j = at + i * s.inner;
            const double size = lip_mignitude((lip_interval){x->lo[j], x->hi[j]});
            least += taxi ? size : size * size;
            if (!call->out[0].lo) continue;
            call->out[0].lo[j] = x->lo[j] >= 0 ? 0 : -1;
            call->out[0].hi[j] = x->hi[j] <= 0 ? 0 : 1;
        }
        least = lip_down(least * (1 - round)) - 0x1p-1000;
        const double norm = taxi ? least : least > 0 ? lip_down(sqrt(least)) : 0;
        const double top = taxi ? lip_up(1 + lip_up(sqrt((double)s.count))) : 1;
        gain = fmax(gain, norm > 0 ? lip_up(top / norm) : INFINITY);
    }
    call->gain[0] = gain;
    return LIP_OK;
}

/* A function that increases with each |x_i|: its forward at the least and the largest magnitudes. */
static lip_status of_magnitudes(const lip_range_call *call, double absolute, lip_error *error)
{
    const lip_span *x = &call->in[0];
    int64_t n = 1;
    LIP_TRY(lip_reduce_size(call->node, &n, error));
    double *least = lip_alloc(call->memory, 2 * x->count, sizeof *least), *most = least ? least + x->count : NULL;
    if (!least) return lip_fail_memory(error, call->node, "ranges");
    for (int64_t i = 0; i < x->count; i++) {
        least[i] = lip_mignitude((lip_interval){x->lo[i], x->hi[i]});
        most[i] = lip_magnitude((lip_interval){x->lo[i], x->hi[i]});
    }
    const double *in[2] = {least, NULL};
    double *out[1] = {call->out[0].lo};
    lip_status status = lip_range_forward(call, in, out, error);
    in[0] = most;
    out[0] = call->out[0].hi;
    if (status == LIP_OK) status = lip_range_forward(call, in, out, error);
    lip_free(call->memory, least);
    const double round = relative_error(n);
    for (int64_t i = 0; status == LIP_OK && i < call->out[0].count; i++) {
        call->out[0].lo[i] = fmax(0, lip_down(call->out[0].lo[i] * (1 - round) - absolute));
        call->out[0].hi[i] = lip_up(call->out[0].hi[i] * (1 + round) + absolute);
    }
    return status;
}

lip_status lip_range_reduce_l1(const lip_range_call *call, lip_error *error)
{
    return call->out[0].lo ? of_magnitudes(call, 0x1p-1000, error) : LIP_OK;
}

lip_status lip_range_reduce_l2(const lip_range_call *call, lip_error *error)
{
    return call->out[0].lo ? of_magnitudes(call, 0x1p-500, error) : LIP_OK;
}

/* Gain 2 |x|_2 of a group, and |x|_2^2 is the result. */
lip_status lip_range_reduce_sum_square(const lip_range_call *call, lip_error *error)
{
    double largest = 0;
    if (!call->out[0].lo) return LIP_OK;
    LIP_TRY(of_magnitudes(call, 0x1p-1000, error));
    for (int64_t i = 0; i < call->out[0].count; i++) largest = fmax(largest, call->out[0].hi[i]);
    call->gain[0] = 2 * lip_up(sqrt(largest));
    return LIP_OK;
}

/* A function that increases with each x_i, computed with an error of at most `error_of` (1 + |y|). */
static lip_status between_ends(const lip_range_call *call, double error_of, lip_error *error)
{
    LIP_TRY(lip_range_monotone(call, error));
    for (int64_t i = 0; i < call->out[0].count; i++) {
        double *lo = &call->out[0].lo[i], *hi = &call->out[0].hi[i];
        if (isfinite(*lo)) *lo = lip_down(*lo - error_of * (1 + fabs(*lo)));
        if (isfinite(*hi)) *hi = lip_up(*hi + error_of * (1 + fabs(*hi)));
        if (*lo == INFINITY) *lo = -INFINITY; /* overflow */
    }
    return LIP_OK;
}

lip_status lip_range_reduce_log_sum_exp(const lip_range_call *call, lip_error *error)
{
    int64_t n = 1;
    LIP_TRY(lip_reduce_size(call->node, &n, error));
    return call->out[0].lo ? between_ends(call, 0x1p-40 + relative_error(n), error) : LIP_OK;
}

/* Gain sqrt(n) / sum; sums without cancellation only. */
lip_status lip_range_reduce_log_sum(const lip_range_call *call, lip_error *error)
{
    int64_t n = 1;
    double least = INFINITY;
    if (!call->out[0].lo) return LIP_OK;
    for (int64_t i = 0; i < call->in[0].count; i++)
        if (!(call->in[0].lo[i] >= 0)) return LIP_OK;
    LIP_TRY(lip_reduce_size(call->node, &n, error));
    LIP_TRY(between_ends(call, 0x1p-44 + relative_error(n), error));
    for (int64_t i = 0; i < call->out[0].count; i++) least = fmin(least, call->out[0].lo[i]);
    call->gain[0] = lip_up(lip_up(sqrt((double)n)) * exp(-least) * (1 + 0x1p-45 + fabs(least) * 0x1p-50));
    return LIP_OK;
}
