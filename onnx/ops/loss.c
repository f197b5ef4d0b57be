/*
 * loss.c: SoftmaxCrossEntropyLoss and NegativeLogLikelihoodLoss: a loss of
 * scores [N, C, d...] and labels [N, d...].
 *
 * With weights w_i >= 0 of the M labels that count, losses l_i, and n(i) the
 * slope of l_i / w_i in the scores: NLL is -x_t, slope 1; cross entropy is
 * -log softmax(x)_t with gradient p - e_t, whose norm is below sqrt 2 (and
 * comes close to it where p is near another label's e). Labels share no
 * scores, so the norm of the gradient is
 *   none  sup w n          sum   n sqrt(sum w^2) <= n sup w sqrt(M)
 *   mean  n sqrt(sum w^2) / sum w <= n;  n / sqrt(M) for M labels without weights that all count.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "outward.h"
#include "support.h"

#include <string.h>

typedef enum reduction { NONE, SUM, MEAN, REDUCTIONS } reduction;

typedef struct loss {
    int64_t samples, classes, inner; /* scores [samples, classes, inner], labels [samples, inner] */
    reduction reduction;
    bool has_ignored;
    int64_t ignored;
    bool softmax;
} loss;

static lip_status read(const lip_node *node, loss *out, lip_error *error)
{
    static const char *const names[] = {"none", "sum", "mean"};
    const char *name = lip_attr_string(node, "reduction", "mean");
    loss l = {.reduction = REDUCTIONS, .softmax = strcmp(node->op_type, "SoftmaxCrossEntropyLoss") == 0};
    LIP_TRY(lip_check_inputs(node, 2, 3, error));
    LIP_TRY(lip_check_real(node, 0, error));
    const lip_shape *x = &node->inputs[0]->shape, *t = &node->inputs[1]->shape;
    const lip_value *weight = lip_node_input(node, 2);
    for (int i = 0; i < REDUCTIONS; i++)
        if (strcmp(name, names[i]) == 0) l.reduction = (reduction)i;
    if (l.reduction == REDUCTIONS)
        return lip_fail_node(error, LIP_EFORMAT, node, "attribute reduction is '%s'", name);
    bool fits = x->rank >= 2 && t->rank == x->rank - 1 && t->dim[0] == x->dim[0];
    for (int i = 1; fits && i < t->rank; i++) fits = t->dim[i] == x->dim[i + 1];
    if (!fits || lip_dtype_storage(node->inputs[1]->dtype, true) != LIP_I64)
        return lip_fail_node(error, LIP_EFORMAT, node, "its labels do not fit its scores");
    if (weight && (weight->shape.rank != 1 || weight->shape.dim[0] != x->dim[1]))
        return lip_fail_node(error, LIP_EFORMAT, node, "its weights do not fit its classes");
    if (weight) LIP_TRY(lip_check_real(node, 2, error));
    l.samples = x->dim[0];
    l.classes = x->dim[1];
    l.inner = lip_dims_product(x, 2, x->rank);
    l.has_ignored = lip_attr_find(node, "ignore_index") != NULL;
    l.ignored = lip_attr_int(node, "ignore_index", 0);
    *out = l;
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    loss l;
    const lip_shape scalar = {0};
    LIP_TRY(read(node, &l, error));
    const lip_shape *x = &node->inputs[0]->shape, *t = &node->inputs[1]->shape;
    LIP_TRY(lip_set_output(node, 0, node->inputs[0]->dtype, l.reduction == NONE ? t : &scalar, error));
    return l.softmax ? lip_set_output(node, 1, node->inputs[0]->dtype, x, error) : LIP_OK;
}

/* log softmax of the scores of one label into `to`, or the scores themselves; elements `step` apart. */
static void log_probabilities(const loss *l, const double *x, double *to)
{
    double most = -INFINITY, sum = 0;
    for (int64_t c = 0; c < l->classes; c++) most = fmax(most, x[c * l->inner]);
    for (int64_t c = 0; c < l->classes; c++) sum += exp(x[c * l->inner] - most);
    for (int64_t c = 0; c < l->classes; c++)
        to[c * l->inner] = l->softmax ? x[c * l->inner] - most - log(sum) : x[c * l->inner];
}

/* The label at (n, i) and its weight; false: it does not count. */
static lip_status label_at(const lip_call *call, const loss *l, int64_t k, int64_t *label, double *weight,
                           lip_error *error)
{
    *label = call->in[1]->i64[k];
    *weight = 0;
    if (l->has_ignored && *label == l->ignored) return LIP_OK;
    if (*label < 0 || *label >= l->classes)
        return lip_fail_node(error, LIP_EFORMAT, call->node, "label %lld is none of %lld classes", (long long)*label,
                             (long long)l->classes);
    *weight = call->node->input_count > 2 && call->in[2] ? call->in[2]->f64[*label] : 1;
    return LIP_OK;
}

/* Where the scores of label k begin. */
static int64_t scores_at(const loss *l, int64_t k)
{
    return k / l->inner * l->classes * l->inner + k % l->inner;
}

static lip_status sum_weights(const lip_call *call, const loss *l, double *total, lip_error *error)
{
    *total = 0;
    for (int64_t k = 0; k < l->samples * l->inner; k++) {
        int64_t label;
        double weight;
        LIP_TRY(label_at(call, l, k, &label, &weight, error));
        *total += weight;
    }
    return LIP_OK;
}

static lip_status fill(const lip_call *call, const loss *l, double *logs, lip_error *error)
{
    double sum = 0, total;
    LIP_TRY(sum_weights(call, l, &total, error));
    for (int64_t k = 0; k < l->samples * l->inner; k++) {
        int64_t label, at = scores_at(l, k);
        double weight;
        LIP_TRY(label_at(call, l, k, &label, &weight, error));
        log_probabilities(l, call->in[0]->f64 + at, logs + at);
        double one = weight == 0 ? 0 : -weight * logs[at + label * l->inner];
        if (call->out[0] && l->reduction == NONE) call->out[0]->f64_room[k] = one;
        sum += one;
    }
    if (call->out[0] && l->reduction != NONE) call->out[0]->f64_room[0] = l->reduction == MEAN ? sum / total : sum;
    return LIP_OK;
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    loss l;
    LIP_TRY(read(call->node, &l, error));
    if (call->node->output_count > 1 && call->out[1]) return fill(call, &l, call->out[1]->f64_room, error);
    double *logs = lip_alloc(call->memory, call->in[0]->count, sizeof *logs);
    if (!logs) return lip_fail_memory(error, call->node, "log probabilities");
    lip_status status = fill(call, &l, logs, error);
    lip_free(call->memory, logs);
    return status;
}

static lip_status fill_gradient(const lip_call *call, const loss *l, double *logs, lip_error *error)
{
    const double *g = call->out_grad[0], *g_logs = call->node->output_count > 1 ? call->out_grad[1] : NULL;
    double total, *dx = call->in_grad[0];
    LIP_TRY(sum_weights(call, l, &total, error));
    for (int64_t k = 0; k < l->samples * l->inner; k++) {
        int64_t label, at = scores_at(l, k);
        double weight, sum = 0;
        LIP_TRY(label_at(call, l, k, &label, &weight, error));
        log_probabilities(l, call->in[0]->f64 + at, logs);
        double own = !g ? 0 : weight * (l->reduction == NONE ? g[k] : l->reduction == SUM ? g[0] : g[0] / total);
        for (int64_t c = 0; c < l->classes; c++) {
            double into = (g_logs ? g_logs[at + c * l->inner] : 0) - (own != 0 && c == label ? own : 0);
            dx[at + c * l->inner] = into;
            sum += into;
        }
        for (int64_t c = 0; l->softmax && c < l->classes; c++)
            dx[at + c * l->inner] -= exp(logs[c * l->inner]) * sum;
    }
    return LIP_OK;
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    loss l;
    LIP_TRY(read(call->node, &l, error));
    if (!call->in_grad[0]) return LIP_OK;
    double *logs = lip_alloc(call->memory, l.classes * l.inner, sizeof *logs);
    if (!logs) return lip_fail_memory(error, call->node, "log probabilities");
    lip_status status = fill_gradient(call, &l, logs, error);
    lip_free(call->memory, logs);
    return status;
}

static double largest_weight(const lip_tensor *weights)
{
    double largest = weights ? 0 : 1;
    for (int64_t c = 0; weights && c < weights->count; c++) largest = fmax(largest, lip_tensor_real(weights, c));
    return largest;
}

static bool is_negative(const lip_tensor *weights)
{
    for (int64_t c = 0; weights && c < weights->count; c++)
        if (lip_tensor_real(weights, c) < 0) return true;
    return false;
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena;
    loss l;
    LIP_TRY(read(node, &l, error));
    const lip_tensor *weights = lip_node_constant(node, 2);
    if (lip_input_varies(node, 1))
        *gain = lip_gain_none(LIP_GAIN_UNBOUNDED, "discontinuous: its labels depend on the input");
    else if (lip_node_varying(node) != 0 || (lip_node_input(node, 2) && !weights) || is_negative(weights))
        *gain = lip_gain_none(LIP_GAIN_UNKNOWN, "its weights are not constants >= 0");
    else if (lip_node_output(node, 1) && node->outputs[1]->consumers > 0)
        *gain = lip_gain_none(LIP_GAIN_UNKNOWN, "its log probabilities are used");
    if (gain->kind != LIP_GAIN_LIPSCHITZ) return LIP_OK;
    const double labels = (double)(l.samples * l.inner), root = lip_up(sqrt(labels));
    double upper = l.softmax ? lip_up(sqrt(2)) : 1;
    if (l.reduction != MEAN && largest_weight(weights) != 1) upper = lip_up(upper * largest_weight(weights));
    if (l.reduction == SUM) upper = lip_up(upper * root);
    if (l.reduction == MEAN && !weights && !l.has_ignored && labels > 1) upper = lip_up(upper / lip_down(sqrt(labels)));
    gain->lipschitz.upper = l.classes > 1 || !l.softmax ? upper : 0;
    return LIP_OK;
}

#define LOSS(symbol, name_)                   \
    const lip_op lip_op_##symbol = {          \
        .name = name_,                        \
        .domain = "",                         \
        .opset_first = 12,                    \
        .opset_last = LIP_OPSET_LAST,         \
        .gain = {.kind = LIP_GAIN_LIPSCHITZ}, \
        .shape = shape,                       \
        .forward = forward,                   \
        .adjoint = adjoint,                   \
        .describe = describe,                 \
    }

LOSS(negative_log_likelihood_loss, "NegativeLogLikelihoodLoss");
LOSS(softmax_cross_entropy_loss, "SoftmaxCrossEntropyLoss");
