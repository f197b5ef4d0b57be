/*
 * error_statistics.c: the local rounding error of functions of many elements:
 * normalisations, local responses, norms, Softmax and LogSoftmax.
 *
 * Assumed of the runtime, with u its precision: square roots, reciprocal roots and quotients are within 8 u of their
 * value, relatively; exp and powers within 64 u relatively, log within 64 u (|log| + 1); Softmax and LogSoftmax take
 * the maximum off first. Of half precision nothing is assumed behind exp, log and powers. theta_k is any product of k
 * factors (1 + d)^(+-1), |d| <= u, less 1; |theta_k| <= g_k := (1 + u)^(2 k) - 1, as 1 / (1 - u) <= (1 + u)^2.
 *
 * Normalisation of N elements, z = x - mean or x, f(z) = z / s, s = sqrt(|z|^2 / N + eps), y = gamma f + beta.
 *   Mean: off by g_{N+1} sum |x| / N <= g_{N+1} ||x|| / sqrt(N); so the executed z^ has ||z^ - z|| <= g_{N+2} ||x||.
 *   s: |z^|^2 / N is a sum of squares, N + 2 roundings and 64 u where a square is a power, then eps and the
 *   root: s^ = s(z^) (1 + theta_{N+96}). So y^ = gamma f(z^) (1 + theta_{N+112}) + beta (1 + theta_2), and as f has the
 *   slope 1 / sqrt(eps) and ||f||^2 <= N,
 *     ||y^ - y|| <= g_{2N+128} (max |gamma| (||x|| / sqrt(eps) + sqrt(count)) + ||beta||),  without ||x|| if z = x.
 *   Squares below the normal range: off by tiny each, relative to eps >= 2^-60 less than one u; not so in half.
 *   This is so where the variance is the mean of the squares of centred elements, as in our own executions. A runtime
 *   may compute E[x^2] - E[x]^2, where the error is u ||x||^2 / N next to eps, and nothing useful is proved; so the
 *   deployed executions of a centred normalisation are refused.
 *
 * LRN, y = x D^-b, D = K + a sum x^2, 0 < b <= 1, K >= 2^-60, a >= 0: all terms are positive, so for n
 * elements in a window D^ = D (1 + theta_{n+8}), y^ = y (1 + theta_{n+80}), and ||y|| <= K^-b ||x|| <= gain ||x||.
 *
 * Norms |x|_1 and |x|_2 of k elements, squares and roots possibly powers: y^ = y (1 + theta_{k+120}); ||y|| <=
 * gain ||x||, as y(0) = 0. Squares that underflow take sqrt(k tiny) at most off the root.
 *
 * Softmax over n terms, all orders in u. With a_i = max x - x_i >= 0 and d_i the rounding of the difference, |d_i| <=
 * u, let w(s) be the softmax of -a_i (1 + s d_i), 0 <= s <= 1: w(0) = y, w(1) exact functions of rounded differences.
 *     dw_i/ds = w_i (sum_j w_j a_j d_j - a_i d_i),   so   ||dw/ds||_1 <= 2 u sum_i w_i a_i.
 * The largest term of the denominator is 1, so a_i (1 - u) <= a_i (1 + s d_i) <= -log w_i, and sum_i w_i a_i is at most
 * the entropy of w over 1 - u: ||w(1) - y||_1 <= 2 u log n / (1 - u). All that is left are factors: exp and its sum
 * (n + 127 with that of the numerator), quotient or reciprocal and product: y^_i = w_i (1 + theta_{n+144}):
 *     ||y^ - y||_2 <= ||y^ - y||_1 <= 2 u log n / (1 - u) + (1 + u)^(2n+288) - 1 <= (1 + u)^(2n+288+2 log2 n) - 1.
 * exp below the smallest normal number, tiny / u, may be off by that much, or 0: 4 n times that in the 1-norm.
 *
 * LogSoftmax over n terms, y_i = x_i - m - log S, m = max x. By the same path the rounding of the differences moves
 * log S by |sum_i w_i a_i d_i| <= u log n / (1 - u); the factors of the executed sum, 1 + theta_{n+64}, by at most
 * 2 (n + 64) u. With A u the sum of the two, the logarithm is off by B <= A u + 64 u (log n + A u + 1). Two
 * subtractions, in either order:
 *     |dy_i| <= ((1 + u)^2 - 1) (|x_i| + |m| + log n) + (1 + u)^2 B.
 * As c ((1 + u)^k - 1) <= (1 + u)^(c k) - 1 for c >= 1, and (1 + u)^j ((1 + u)^k - 1) <= (1 + u)^(j+k) - 1, the part
 * without x is below (1 + u)^U - 1, U = 2n + 260 + 48 log2 n, and (1 + u)^2 - 1 <= 2 / U times that: in the 2-norm,
 * where a maximum stands for n elements,
 *     ||dy|| <= ((1 + u)^U - 1) (2 / U (1 + sqrt(n)) ||x|| + sqrt(count)).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "error_rules.h"
#include "rounding.h"

#include <string.h>

static const char half_reason[] = "the rounding error of this function in half precision is not known";
static const double LEAST = 0x1p-60, MOST = 0x1p60;

static bool is_op(const lip_node *node, const char *op)
{
    return strcmp(node->op_type, op) == 0;
}

/* The product of the dimensions [first, end). */
static double elements(const lip_shape *shape, int64_t first, int64_t end)
{
    double count = 1;
    for (int64_t d = first < 0 ? 0 : first; d < end && d < shape->rank; d++)
        count *= (double)shape->dim[d];
    return count;
}

static int64_t axis_of(const lip_node *node, int64_t otherwise)
{
    int64_t axis = lip_attr_int(node, "axis", otherwise);
    return axis + (axis < 0 ? node->inputs[0]->shape.rank : 0);
}

/* ----------------------------------------------------------- normalisations */

/* Elements of a block; 0: not a normalisation that is known here. */
static double block_of(const lip_node *node)
{
    const lip_shape *x = &node->inputs[0]->shape;
    if (is_op(node, "LayerNormalization") || is_op(node, "RMSNormalization") ||
        is_op(node, "SimplifiedLayerNormalization"))
        return elements(x, axis_of(node, -1), x->rank);
    if (is_op(node, "InstanceNormalization"))
        return elements(x, 2, x->rank);
    if (is_op(node, "GroupNormalization"))
        return ceil(elements(x, 1, x->rank) / fmax(1, (double)lip_attr_int(node, "num_groups", 1)));
    int64_t count;
    const int64_t *axes = is_op(node, "Standardize") ? lip_attr_ints(node, "axes", &count) : NULL;
    double block = axes ? 1 : 0;
    for (int64_t i = 0; axes && i < count; i++)
        block *= elements(x, axes[i] + (axes[i] < 0 ? x->rank : 0), axes[i] + (axes[i] < 0 ? x->rank : 0) + 1);
    return block;
}

static bool is_centred(const lip_node *node)
{
    if (is_op(node, "Standardize"))
        return lip_attr_int(node, "centred", 1) != 0;
    return !is_op(node, "RMSNormalization") && !is_op(node, "SimplifiedLayerNormalization");
}

static bool is_readable(const lip_tensor *t) { return t && t->storage != LIP_OPAQUE && t->data; }

/* max |element| and the 2-norm of a constant broadcast to output 0. */
static void measure(const lip_node *node, const lip_tensor *t, double *largest, double *norm)
{
    double square = 0;
    *largest = 0;
    for (int64_t i = 0; i < t->count; i++) {
        double element = lip_tensor_real(t, i);
        *largest = fmax(*largest, fabs(element));
        square += element * element;
    }
    double copies = t->count > 0 ? ceil(lip_count_of(node->outputs[0]) / (double)t->count) : 0;
    *norm = lip_norm_of_copies(square, copies, (double)t->count);
}

static void rule_of_normalisation(const lip_node *node, double block, lip_error_step *step)
{
    bool is_plain = is_op(node, "Standardize"), centred = is_centred(node);
    const lip_tensor *scale = lip_node_constant(node, 1), *shift = is_plain ? NULL : lip_node_constant(node, 2);
    double gamma = 1, beta = 0, unused;
    if (!is_readable(scale) || (!is_plain && lip_node_input(node, 2) && !is_readable(shift))) {
        step->refusal = "its scale or bias is not known";
        return;
    }
    double eps = is_plain ? lip_tensor_real(scale, 0) : lip_attr_float(node, "epsilon", 1e-5F);
    if (!is_plain)
        measure(node, scale, &gamma, &unused);
    if (shift)
        measure(node, shift, &unused, &beta);
    if (!(eps >= LEAST && eps <= MOST && gamma <= MOST)) {
        step->refusal = "the rounding error of so small an epsilon is not bounded";
        return;
    }
    double over = lip_div_up(fmax(1, gamma), sqrt(eps) * (1 - 0x1p-50));
    lip_round_outputs(step, 4 * block + 256); /* squares may be powers */
    step->branches[0].magnitude = centred ? over : 0;
    step->constant = lip_add_up(lip_mul_up(gamma, lip_root_of_count(node->outputs[0])), beta);
    step->tiny_constant = lip_mul_up(step->tiny_constant, 1 + 4 * over);
    step->peak = 4 * fmax(1, gamma);
    step->peak_constant = lip_mul_up(8, over);
    step->square_peak = 2;
    step->refusal_half = half_reason;
    if (centred)
        step->refusal_deployed = "runtimes may take its variance as a difference of means, whose rounding error has no "
                                 "useful bound";
}

static void rule_of_response(const lip_node *node, lip_error_step *step)
{
    double size = (double)lip_attr_int(node, "size", 1), alpha = lip_attr_float(node, "alpha", 1e-4F);
    double beta = lip_attr_float(node, "beta", 0.75F), bias = lip_attr_float(node, "bias", 1.0F);
    if (!(alpha >= 0 && alpha <= MOST && beta > 0 && beta <= 1 && bias >= LEAST && bias <= MOST)) {
        step->refusal = "its rounding error is bounded for exponents up to 1 only";
        return;
    }
    lip_round_outputs(step, 2 * size + 160);
    step->tiny_constant = lip_mul_up(step->tiny_constant, fmax(1, step->branches[0].gain));
    step->peak_constant = 4 * bias;
    step->square_peak = 2 * fmax(1, lip_sqrt_up(alpha));
    step->refusal_half = half_reason;
}

/* -------------------------------------------------------------------- norms */

/* Norms of `terms` elements each. */
static void rule_of_norm(const lip_node *node, double p, double terms, lip_error_step *step)
{
    if (p != 1 && p != 2) {
        step->refusal = "the rounding error of its powers is not bounded";
        return;
    }
    lip_round_outputs(step, 2 * terms + 256);
    if (p == 1)
        return;
    step->square_peak = 2;
    step->root_tiny = lip_mul_up(lip_sqrt_up(terms), lip_root_of_count(node->outputs[0]));
}

static void rule_of_pool(const lip_node *node, lip_error_step *step)
{
    int64_t count;
    const int64_t *kernel = lip_attr_ints(node, "kernel_shape", &count);
    double terms = 1;
    for (int64_t i = 0; i < count; i++)
        terms *= (double)kernel[i];
    rule_of_norm(node, node->opset < 2 ? lip_attr_float(node, "p", 2.0F) : (double)lip_attr_int(node, "p", 2), terms,
                 step);
}

/* ------------------------------------------------------------------ softmax */

/* Elements of one softmax. */
static double softmax_terms(const lip_node *node)
{
    int64_t axis = axis_of(node, node->opset < 13 ? 1 : -1);
    return fmax(1, elements(&node->inputs[0]->shape, axis, node->opset < 13 ? LIP_MAX_RANK : axis + 1));
}

/* What exp loses below the smallest normal number, tiny / u, in units of tiny; at most n of them in each output. */
static double lost_by_exp(const lip_node *node, double n)
{
    return lip_mul_up(4 * n * 0x1p54, lip_root_of_count(node->outputs[0]));
}

static void rule_of_softmax(const lip_node *node, lip_error_step *step)
{
    double n = softmax_terms(node);
    lip_round_outputs(step, ceil(2 * n + 288 + 2.01 * log2(n)));
    step->branches[0].magnitude = 0;
    step->constant = lip_sqrt_up(lip_div_up(lip_count_of(node->outputs[0]), n)); /* 1 for each softmax */
    step->tiny_constant = lip_add_up(step->tiny_constant, lost_by_exp(node, n));
    step->peak_constant = 2 * n;
    step->refusal_half = half_reason;
}

static void rule_of_log_softmax(const lip_node *node, lip_error_step *step)
{
    double n = softmax_terms(node), units = ceil(2 * n + 260 + 48.01 * log2(n));
    lip_round_outputs(step, units);
    step->branches[0].magnitude = lip_div_up(lip_mul_up(2, lip_add_up(1, lip_sqrt_up(n))), units);
    step->constant = lip_root_of_count(node->outputs[0]);
    step->tiny_constant = lip_add_up(step->tiny_constant, lost_by_exp(node, n));
    step->peak = 4;
    step->peak_constant = 2 * n;
    step->refusal_half = half_reason;
}

void lip_error_statistics(const lip_node *node, lip_error_step *step)
{
    double block = block_of(node), in = lip_count_of(node->inputs[0]), out = lip_count_of(node->outputs[0]);
    if (block > 0)
        rule_of_normalisation(node, block, step);
    else if (is_op(node, "LRN"))
        rule_of_response(node, step);
    else if (is_op(node, "LpPool"))
        rule_of_pool(node, step);
    else if (is_op(node, "ReduceL1") || is_op(node, "ReduceL2"))
        rule_of_norm(node, is_op(node, "ReduceL1") ? 1 : 2, out > 0 ? ceil(in / out) : 0, step);
    else if (is_op(node, "Softmax"))
        rule_of_softmax(node, step);
    else if (is_op(node, "LogSoftmax"))
        rule_of_log_softmax(node, step);
    else if (!is_op(node, "TopK") && !is_op(node, "MaxPool") && !is_op(node, "GlobalMaxPool") &&
             !is_op(node, "ReduceMax") && !is_op(node, "ReduceMin")) /* these choose */
        step->refusal = "its rounding error is not bounded";
}
