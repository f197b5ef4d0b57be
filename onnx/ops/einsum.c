/*
 * einsum.c: Einsum: sums of products of operands whose axes carry labels.
 *
 * One operand that varies, x, and one constant, W: the labels of both sort
 * into b (in x, W and the output), c (x and W, summed), r (W and the output)
 * and m (x and the output), and y[b, r, m] = sum_c W[b, r, c] x[b, c, m]: one
 * matrix for each b, applied to every m: its norm is the largest of theirs.
 * A label twice in one operand takes its diagonal, a part of x whose norm as
 * a map is 1. x alone: its labels are moved, or summed: coefficients 0 and 1.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "ranges.h"
#include "support.h"

#include <string.h>

#define MAX_WORK (INT64_C(1) << 32) /* products: some hostile equations have more than fit any time */

enum { MAX_OPERANDS = 8, LABELS = 52 + LIP_MAX_RANK, ELLIPSIS = 52 };

/* Every label gets a loop; those of the output come first, in its order. */
typedef struct einsum {
    int operands, loops, outer;         /* outer: loops of the output */
    int64_t dim[LABELS];                /* of each loop */
    int64_t stride[MAX_OPERANDS][LABELS]; /* of each operand along each loop; 0: does not have it */
    lip_shape y;
} einsum;

typedef struct term {
    int rank;
    int label[LIP_MAX_RANK];
} term;

static int label_of(char c)
{
    return c >= 'a' && c <= 'z' ? c - 'a' : c >= 'A' && c <= 'Z' ? 26 + c - 'A' : -1;
}

/* Labels of one operand of this rank, from *text to the next ',' or "->". An ellipsis stands for the last `dots` of its
 * labels. Rank < 0: the output's, `dots` of the ellipsis. */
static lip_status read_term(const lip_node *node, const char **text, int rank, int dots, term *out, lip_error *error)
{
    term t = {0};
    int letters = 0;
    bool seen = false, wrong = false;
    for (const char *at = *text; *at && *at != ',' && *at != '-'; at++) letters += label_of(*at) >= 0;
    const int hidden = rank < 0 ? dots : rank - letters;
    for (; **text && **text != ',' && **text != '-' && !wrong; (*text)++) {
        if (**text == ' ') continue;
        if (**text == '.') {
            wrong = seen || strncmp(*text, "...", 3) != 0 || hidden < 0 || t.rank + hidden > LIP_MAX_RANK;
            for (int i = 0; i < hidden && !wrong; i++) t.label[t.rank++] = ELLIPSIS + LIP_MAX_RANK - hidden + i;
            *text += wrong ? 0 : 2;
            seen = true;
        } else {
            wrong = label_of(**text) < 0 || t.rank == LIP_MAX_RANK;
            if (!wrong) t.label[t.rank++] = label_of(**text);
        }
    }
    if (wrong || (rank >= 0 && t.rank != rank))
        return lip_fail_node(error, LIP_EFORMAT, node, "its equation '%s' does not fit its inputs",
                             lip_attr_string(node, "equation", ""));
    *out = t;
    return LIP_OK;
}

/* Without "->": the ellipsis, then the labels that occur once, in alphabetical order. */
static void implied_output(const term *terms, int operands, int dots, term *out)
{
    static const char order[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    *out = (term){0};
    for (int i = 0; i < dots; i++) out->label[out->rank++] = ELLIPSIS + LIP_MAX_RANK - dots + i;
    for (const char *c = order; *c; c++) {
        int count = 0;
        for (int k = 0; k < operands; k++)
            for (int i = 0; i < terms[k].rank; i++) count += terms[k].label[i] == label_of(*c);
        if (count == 1 && out->rank < LIP_MAX_RANK) out->label[out->rank++] = label_of(*c);
    }
}

/* Sizes of the labels; an ellipsis' axes broadcast. */
static lip_status read_sizes(const lip_node *node, const term *terms, int operands, int64_t *size, lip_error *error)
{
    for (int i = 0; i < LABELS; i++) size[i] = -1;
    for (int k = 0; k < operands; k++)
        for (int i = 0; i < terms[k].rank; i++) {
            int64_t n = node->inputs[k]->shape.dim[i], *have = &size[terms[k].label[i]];
            const bool wide = terms[k].label[i] >= ELLIPSIS;
            if (*have < 0 || (wide && *have == 1))
                *have = n;
            else if (*have != n && !(wide && n == 1))
                return lip_fail_node(error, LIP_EFORMAT, node, "its inputs give one index the sizes %lld and %lld",
                                     (long long)*have, (long long)n);
        }
    return LIP_OK;
}

static void add_loop(einsum *e, int *loop, int label, int64_t size)
{
    if (loop[label] >= 0) return;
    loop[label] = e->loops;
    e->dim[e->loops++] = size;
}

static lip_status make_loops(const lip_node *node, const term *terms, const term *y, einsum *e, lip_error *error)
{
    int64_t size[LABELS], stride[LIP_MAX_RANK];
    int loop[LABELS];
    LIP_TRY(read_sizes(node, terms, e->operands, size, error));
    for (int i = 0; i < LABELS; i++) loop[i] = -1;
    for (int i = 0; i < y->rank; i++) {
        if (size[y->label[i]] < 0 || loop[y->label[i]] >= 0)
            return lip_fail_node(error, LIP_EFORMAT, node, "its equation has an output index twice, or in no input");
        add_loop(e, loop, y->label[i], size[y->label[i]]);
        LIP_TRY(lip_push_dim(node, &e->y, size[y->label[i]], error));
    }
    e->outer = e->loops;
    for (int k = 0; k < e->operands; k++) {
        lip_strides(&node->inputs[k]->shape, stride);
        for (int i = 0; i < terms[k].rank; i++) {
            add_loop(e, loop, terms[k].label[i], size[terms[k].label[i]]);
            if (node->inputs[k]->shape.dim[i] > 1) e->stride[k][loop[terms[k].label[i]]] += stride[i];
        }
    }
    return LIP_OK;
}

static lip_status read(const lip_node *node, einsum *out, lip_error *error)
{
    const char *text = lip_attr_string(node, "equation", NULL);
    term terms[MAX_OPERANDS] = {{0}}, y;
    einsum e = {.operands = (int)node->input_count};
    int dots = 0;
    if (!text) return lip_fail_node(error, LIP_EFORMAT, node, "has no equation");
    if (node->input_count > MAX_OPERANDS)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "has more than %d operands", MAX_OPERANDS);
    LIP_TRY(lip_check_inputs(node, node->input_count ? node->input_count : 1, MAX_OPERANDS, error));
    for (int k = 0; k < e.operands; k++) {
        LIP_TRY(lip_check_real(node, (size_t)k, error));
        LIP_TRY(read_term(node, &text, node->inputs[k]->shape.rank, 0, &terms[k], error));
        for (int i = 0, own = 0; i < terms[k].rank; i++) {
            own += terms[k].label[i] >= ELLIPSIS;
            dots = own > dots ? own : dots;
        }
        if (k + 1 < e.operands ? *text != ',' : *text == ',')
            return lip_fail_node(error, LIP_EFORMAT, node, "its equation is not for %d inputs", e.operands);
        text += *text == ',';
    }
    if (*text == '-' && text[1] == '>') {
        text += 2;
        LIP_TRY(read_term(node, &text, -1, dots, &y, error));
    } else {
        implied_output(terms, e.operands, dots, &y);
    }
    if (*text) return lip_fail_node(error, LIP_EFORMAT, node, "its equation ends in '%.20s'", text);
    LIP_TRY(make_loops(node, terms, &y, &e, error));
    int64_t work = 1;
    for (int l = 0; l < e.loops; l++)
        if (!lip_size_mul(work, e.dim[l], &work) || work > MAX_WORK)
            return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its sum has more than %lld terms",
                                 (long long)MAX_WORK);
    *out = e;
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    einsum e;
    LIP_TRY(read(node, &e, error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, &e.y, error);
}

/* The next index tuple over loops [from, to), offsets kept; false after the last one. */
static bool next(const einsum *e, int from, int to, int64_t *index, int64_t *offset)
{
    for (int l = to - 1; l >= from; l--) {
        for (int k = 0; k < e->operands; k++) offset[k] += e->stride[k][l];
        if (++index[l] < e->dim[l]) return true;
        for (int k = 0; k < e->operands; k++) offset[k] -= e->stride[k][l] * e->dim[l];
        index[l] = 0;
    }
    return false;
}

static bool is_empty(const einsum *e, int from, int to)
{
    for (int l = from; l < to; l++)
        if (e->dim[l] == 0) return true;
    return false;
}

static double product(const einsum *e, const lip_call *call, const int64_t *offset, int without)
{
    double p = 1;
    for (int k = 0; k < e->operands; k++)
        if (k != without) p *= call->in[k]->f64[offset[k]];
    return p;
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    einsum e;
    int64_t index[LABELS] = {0}, offset[MAX_OPERANDS] = {0}, at = 0;
    LIP_TRY(read(call->node, &e, error));
    if (!call->out[0] || is_empty(&e, 0, e.outer)) return LIP_OK;
    const bool nothing = is_empty(&e, e.outer, e.loops);
    do {
        double sum = 0, lost = 0; /* compensated [Kahan 1965], as NONNEGATIVE wants it */
        if (!nothing) {
            do {
                const double p = product(&e, call, offset, -1) - lost, total = sum + p;
                lost = (total - sum) - p;
                sum = total;
            } while (next(&e, e.outer, e.loops, index, offset));
        }
        call->out[0]->f64_room[at++] = sum;
    } while (next(&e, 0, e.outer, index, offset));
    return LIP_OK;
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    einsum e;
    int64_t index[LABELS] = {0}, offset[MAX_OPERANDS] = {0}, at = 0;
    LIP_TRY(read(call->node, &e, error));
    for (int k = 0; k < e.operands; k++) lip_zero_grad(call, (size_t)k);
    if (!call->out_grad[0] || is_empty(&e, 0, e.loops)) return LIP_OK;
    do {
        const double g = call->out_grad[0][at++];
        do {
            for (int k = 0; k < e.operands; k++)
                if (call->in_grad[k]) call->in_grad[k][offset[k]] += g * product(&e, call, offset, k);
        } while (next(&e, e.outer, e.loops, index, offset));
    } while (next(&e, 0, e.outer, index, offset));
    return LIP_OK;
}

/* W as matrices [b][r][c]; the loops of W in this order: r as the output has them, c as the elements of x lie. False: a
 * label is of another kind. */
static bool sort_loops(const einsum *e, int x, int w, int order[3][LABELS], int count[3])
{
    memset(count, 0, 3 * sizeof *count);
    for (int l = 0; l < e->loops; l++) {
        const bool in_x = e->stride[x][l] != 0, in_w = e->stride[w][l] != 0, in_y = l < e->outer;
        if (e->dim[l] <= 1 || (in_x && !in_w && in_y)) continue;
        if (!in_w || (!in_x && !in_y)) return false; /* summed on its own, or repeated in the output */
        const int kind = in_x && in_y ? 0 : in_y ? 1 : 2;
        int at = count[kind]++;
        for (; kind == 2 && at > 0 && e->stride[x][order[kind][at - 1]] < e->stride[x][l]; at--)
            order[kind][at] = order[kind][at - 1];
        order[kind][at] = l;
    }
    return true;
}

static lip_status dense_gain(const lip_node *node, const einsum *e, int x, int w, lip_arena *arena, lip_gain *gain,
                             lip_error *error)
{
    int order[3][LABELS], count[3], n = 0;
    const lip_tensor *constant = lip_node_constant(node, (size_t)w);
    if (!sort_loops(e, x, w, order, count)) {
        *gain = lip_gain_none(LIP_GAIN_UNKNOWN, "it sums an operand over an index that no other operand has");
        return LIP_OK;
    }
    int64_t size[3] = {1, 1, 1}, index[LABELS] = {0}, from = 0;
    int loops[LABELS];
    for (int kind = 0; kind < 3; kind++)
        for (int i = 0; i < count[kind]; i++) {
            loops[n++] = order[kind][i];
            size[kind] *= e->dim[order[kind][i]];
        }
    lip_tensor *matrix = lip_arena_alloc(arena, 1, sizeof *matrix);
    const int64_t total = size[0] * size[1] * size[2];
    double *to = lip_arena_alloc(arena, total, sizeof *to);
    if (!matrix || !to) return lip_fail_memory(error, node, "its matrix");
    for (int64_t i = 0; i < total; i++) {
        to[i] = lip_tensor_real(constant, from);
        for (int k = n - 1; k >= 0; k--) {
            from += e->stride[w][loops[k]];
            if (++index[k] < e->dim[loops[k]]) break;
            from -= e->stride[w][loops[k]] * e->dim[loops[k]];
            index[k] = 0;
        }
    }
    *matrix = (lip_tensor){.dtype = LIP_DTYPE_DOUBLE, .storage = LIP_F64, .count = total, .f64 = to};
    matrix->shape = (lip_shape){.rank = 3, .dim = {size[0], size[1], size[2]}};
    *gain = (lip_gain){.kind = LIP_GAIN_DENSE};
    gain->dense = (lip_dense){.weight = matrix, .alpha = 1, .rows = size[1], .cols = size[2], .row_stride = size[2],
                              .col_stride = 1, .batch = size[0], .batch_stride = size[1] * size[2],
                              .multiplicity = 1, .in_axis = -1, .out_axis = -1};
    return LIP_OK;
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    einsum e;
    LIP_TRY(read(node, &e, error));
    const int x = lip_node_varying(node);
    if (x < 0)
        *gain = lip_gain_none(LIP_GAIN_UNBOUNDED, "the product of two activations is not Lipschitz: its slope in one "
                                                  "factor is the other factor");
    else if (e.operands == 1)
        *gain = (lip_gain){.kind = LIP_GAIN_NONNEGATIVE};
    else if (e.operands > 2)
        *gain = lip_gain_none(LIP_GAIN_UNKNOWN, "it has more than two operands");
    else if (!lip_node_constant(node, (size_t)(1 - x)))
        *gain = lip_gain_none(LIP_GAIN_UNKNOWN, "its factor is neither a constant nor an activation");
    else
        return dense_gain(node, &e, x, 1 - x, arena, gain, error);
    return LIP_OK;
}

/* Bilinear in two operands; the compensated sum's error is below that of gamma_n for every n. */
static lip_status range(const lip_range_call *call, lip_error *error)
{
    return call->node->input_count == 2 ? lip_range_product(call, error) : LIP_OK;
}

const lip_op lip_op_einsum = {
    .name = "Einsum",
    .domain = "",
    .opset_first = 12,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_DENSE},
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
    .range = range,
};
