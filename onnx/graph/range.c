/*
 * range.c: see range.h. One pass over the nodes; a value's range lives from
 * its producer to its last reader.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "range.h"

#include "ranges.h"

#include <math.h>
#include <string.h>

typedef struct value_range {
    double *lo, *hi; /* one block, lo first; NULL: nothing is known */
    bool stochastic;
    size_t last; /* index of the last node that reads it */
} value_range;

typedef struct walk {
    const lip_model *model;
    lip_memory *memory;
    value_range *values;
    lip_span *in; /* of the node at hand; blocks in `lent` are its own */
    lip_span_room *out;
    double **lent, *gain;
} walk;

/* What a type can hold: the ends of whole types are exact, or rounded outward. */
static lip_interval limits_of(lip_dtype dtype)
{
    switch (dtype) {
    case LIP_DTYPE_BOOL: return (lip_interval){ 0, 1 };
    case LIP_DTYPE_UINT2: return (lip_interval){ 0, 3 };
    case LIP_DTYPE_INT2: return (lip_interval){ -2, 1 };
    case LIP_DTYPE_UINT4: return (lip_interval){ 0, 15 };
    case LIP_DTYPE_INT4: return (lip_interval){ -8, 7 };
    case LIP_DTYPE_UINT8: return (lip_interval){ 0, UINT8_MAX };
    case LIP_DTYPE_INT8: return (lip_interval){ INT8_MIN, INT8_MAX };
    case LIP_DTYPE_UINT16: return (lip_interval){ 0, UINT16_MAX };
    case LIP_DTYPE_INT16: return (lip_interval){ INT16_MIN, INT16_MAX };
    case LIP_DTYPE_UINT32: return (lip_interval){ 0, UINT32_MAX };
    case LIP_DTYPE_INT32: return (lip_interval){ INT32_MIN, INT32_MAX };
    case LIP_DTYPE_UINT64: return (lip_interval){ 0, 0x1p64 };
    case LIP_DTYPE_INT64: return (lip_interval){ -0x1p63, 0x1p63 };
    default: return (lip_interval){ -INFINITY, INFINITY };
    }
}

static void fill(double *lo, double *hi, int64_t count, lip_interval with)
{
    for (int64_t i = 0; i < count; i++) {
        lo[i] = with.lo;
        hi[i] = with.hi;
    }
}

/* Number of elements of a value that has numbers; false for others. */
static bool count_of(const lip_value *value, int64_t *count)
{
    return value->shape_known && lip_dtype_storage(value->dtype, true) != LIP_OPAQUE &&
           lip_shape_count(&value->shape, count);
}

/* A new block for both ends; NULL where there is no memory, or nothing to number. */
static double *block_of(const walk *w, const lip_value *value, int64_t *count)
{
    int64_t twice;
    if (!count_of(value, count) || !lip_size_mul(*count, 2, &twice))
        return NULL;
    return lip_alloc(w->memory, twice, sizeof(double));
}

static void drop(const walk *w, size_t index)
{
    lip_free(w->memory, w->values[index].lo);
    w->values[index].lo = w->values[index].hi = NULL;
}

/* ------------------------------------------------------------------ the box */

static lip_status check_box(const lip_input_range *box, lip_error *error)
{
    if (box->count == 0 || box->lo == NULL || box->hi == NULL)
        return lip_fail(error, LIP_EUSAGE, "the input range is empty");
    for (size_t i = 0; i < box->count; i++)
        if (!(isfinite(box->lo[i]) && isfinite(box->hi[i]) && box->lo[i] <= box->hi[i]))
            return lip_fail(error, LIP_EUSAGE, "the input range %g:%g is not an interval of finite numbers", box->lo[i],
                            box->hi[i]);
    return LIP_OK;
}

/* Elements that share a channel side by side (`inner`), and how many channels there are. */
static lip_status channels_of(const lip_value *value, const lip_input_range *box, int64_t *inner, lip_error *error)
{
    const lip_shape *s = &value->shape;
    const int64_t channels = (int64_t)box->count;
    int axis = -1;
    *inner = 1;
    if (channels == 1)
        return LIP_OK;
    if (s->rank > 1 && s->dim[1] == channels)
        axis = 1;
    else if (s->rank > 0 && s->dim[s->rank - 1] == channels)
        axis = s->rank - 1;
    if (axis < 0) {
        char text[128];
        lip_shape_text(s, text, sizeof text);
        return lip_fail(error, LIP_EUSAGE, "the input range has %zu channels, input '%s' is %s", box->count,
                        value->name, text);
    }
    for (int d = axis + 1; d < s->rank; d++)
        *inner *= s->dim[d];
    return LIP_OK;
}

static lip_status open_input(walk *w, const lip_value *value, const lip_input_range *box, lip_error *error)
{
    value_range *r = &w->values[value->index];
    const bool boxed = value->varies && box != NULL;
    int64_t count = 0, inner = 1;
    if (boxed && value->shape_known) {
        const lip_status status = channels_of(value, box, &inner, error);
        if (status != LIP_OK)
            return status;
    }
    r->lo = block_of(w, value, &count);
    if (r->lo == NULL)
        return LIP_OK;
    r->hi = r->lo + count;
    fill(r->lo, r->hi, count, limits_of(value->dtype));
    for (int64_t i = 0; boxed && i < count; i++) {
        const size_t channel = (size_t)(i / inner) % box->count;
        r->lo[i] = box->lo[channel];
        r->hi[i] = box->hi[channel];
    }
    return LIP_OK;
}

/* ----------------------------------------------------------------- one node */

static bool lend_input(walk *w, const lip_value *value, size_t i)
{
    const value_range *r = &w->values[value->index];
    lip_span *span = &w->in[i];
    *span = (lip_span){ .dtype = value->dtype, .shape = value->shape, .lo = r->lo, .hi = r->hi,
                        .stochastic = r->stochastic };
    if (!count_of(value, &span->count))
        return false;
    const lip_tensor *constant = value->constant;
    if (constant != NULL && (constant->storage == LIP_OPAQUE || constant->data == NULL))
        return false;
    if (constant == NULL && r->lo != NULL)
        return true;
    w->lent[i] = lip_alloc(w->memory, constant != NULL ? span->count : 2 * span->count, sizeof(double));
    if (w->lent[i] == NULL)
        return false;
    span->lo = w->lent[i];
    span->hi = constant != NULL ? w->lent[i] : w->lent[i] + span->count;
    span->constant = constant != NULL;
    if (constant != NULL)
        lip_tensor_to_real(constant, w->lent[i]);
    else
        fill(w->lent[i], w->lent[i] + span->count, span->count, limits_of(value->dtype));
    return true;
}

/* Whether there is something to be said about the node: all its numbers are there. */
static bool lend(walk *w, const lip_node *node)
{
    bool whole = true;
    for (size_t i = 0; i < node->input_count; i++) {
        w->in[i] = (lip_span){ .lo = NULL };
        w->gain[i] = INFINITY;
        if (node->inputs[i] != NULL)
            whole = lend_input(w, node->inputs[i], i) && whole;
    }
    for (size_t i = 0; i < node->output_count; i++) {
        const lip_value *value = node->outputs[i];
        w->out[i] = (lip_span_room){ .lo = NULL };
        if (value == NULL || (value->consumers == 0 && i > 0))
            continue;
        double *block = block_of(w, value, &w->out[i].count);
        w->out[i].lo = block;
        w->out[i].hi = block != NULL ? block + w->out[i].count : NULL;
        whole = whole && block != NULL;
        if (block != NULL)
            fill(block, w->out[i].hi, w->out[i].count, limits_of(value->dtype));
    }
    return whole;
}

static void forget_outputs(walk *w, const lip_node *node)
{
    for (size_t i = 0; i < node->output_count; i++)
        if (w->out[i].lo != NULL)
            fill(w->out[i].lo, w->out[i].hi, w->out[i].count, limits_of(node->outputs[i]->dtype));
    for (size_t i = 0; i < node->input_count; i++)
        w->gain[i] = INFINITY;
}

static void apply_rule(walk *w, const lip_range_call *call)
{
    const lip_op *op = call->node->op;
    lip_error unused = { 0 };
    lip_range_rule *rule = op->range != NULL ? op->range : op->curve != NULL ? lip_range_curve : NULL;
    if (rule == NULL || op->forward == NULL || rule(call, &unused) != LIP_OK)
        forget_outputs(w, call->node);
}

/* What is no interval becomes what the type can hold. True: every output is known to be one point. */
static bool settle(const walk *w, const lip_node *node)
{
    bool point = true, any = false;
    for (size_t i = 0; i < node->output_count; i++) {
        const lip_span_room *out = &w->out[i];
        if (node->outputs[i] != NULL && node->outputs[i]->consumers > 0 && out->lo == NULL)
            point = false;
        if (out->lo == NULL)
            continue;
        const lip_interval limits = limits_of(node->outputs[i]->dtype);
        for (int64_t k = 0; k < out->count; k++) {
            if (!(out->lo[k] <= out->hi[k] && out->lo[k] < INFINITY && out->hi[k] > -INFINITY)) {
                out->lo[k] = limits.lo;
                out->hi[k] = limits.hi;
            }
            point = point && out->lo[k] == out->hi[k];
            any = true;
        }
    }
    return point && any;
}

/* The outputs' ranges become those of their values; the inputs' go after their last reader. */
static void hand_over(walk *w, const lip_node *node)
{
    for (size_t i = 0; i < node->output_count; i++) {
        if (w->out[i].lo == NULL)
            continue;
        value_range *r = &w->values[node->outputs[i]->index];
        drop(w, node->outputs[i]->index);
        r->lo = w->out[i].lo;
        r->hi = w->out[i].hi;
        r->stochastic = w->out[i].stochastic;
        if (r->last <= node->index)
            drop(w, node->outputs[i]->index);
    }
    for (size_t i = 0; i < node->input_count; i++) {
        lip_free(w->memory, w->lent[i]);
        w->lent[i] = NULL;
        if (node->inputs[i] != NULL && w->values[node->inputs[i]->index].last == node->index)
            drop(w, node->inputs[i]->index);
    }
}

static lip_status visit_node(walk *w, const lip_node *node, lip_range_visit *visit, void *context, lip_error *error)
{
    double lower = 0;
    const lip_range_call call = { node, w->in, w->out, w->gain, &lower, w->memory };
    const bool whole = lend(w, node);
    if (whole && node->op != NULL && node->unknown == NULL) {
        apply_rule(w, &call);
        const bool constant = settle(w, node);
        for (size_t i = 0; constant && i < node->input_count; i++)
            w->gain[i] = lower = 0;
    }
    const lip_status status = visit != NULL ? visit(context, &call, error) : LIP_OK;
    hand_over(w, node);
    lip_model_release(w->model, node);
    return status;
}

/* ------------------------------------------------------------------ the walk */

static void mark_last(walk *w)
{
    for (size_t i = 0; i < w->model->node_count; i++) {
        const lip_node *node = w->model->nodes[i];
        for (size_t k = 0; !node->folded && k < node->input_count; k++)
            if (node->inputs[k] != NULL)
                w->values[node->inputs[k]->index].last = node->index;
    }
}

static lip_status open_walk(walk *w, lip_error *error)
{
    int64_t inputs = 0, outputs = 0;
    for (size_t i = 0; i < w->model->node_count; i++) {
        const lip_node *node = w->model->nodes[i];
        inputs = (int64_t)node->input_count > inputs ? (int64_t)node->input_count : inputs;
        outputs = (int64_t)node->output_count > outputs ? (int64_t)node->output_count : outputs;
    }
    w->values = lip_alloc(w->memory, (int64_t)w->model->value_count, sizeof *w->values);
    w->in = lip_alloc(w->memory, inputs, sizeof *w->in);
    w->lent = lip_alloc(w->memory, inputs, sizeof *w->lent);
    w->gain = lip_alloc(w->memory, inputs, sizeof *w->gain);
    w->out = lip_alloc(w->memory, outputs, sizeof *w->out);
    if (w->values == NULL || w->in == NULL || w->lent == NULL || w->gain == NULL || w->out == NULL)
        return lip_fail_memory(error, NULL, "the ranges of values");
    mark_last(w);
    return LIP_OK;
}

static void close_walk(walk *w)
{
    for (size_t i = 0; w->values != NULL && i < w->model->value_count; i++)
        drop(w, i);
    lip_free(w->memory, w->values);
    lip_free(w->memory, w->in);
    lip_free(w->memory, w->lent);
    lip_free(w->memory, w->gain);
    lip_free(w->memory, w->out);
}

lip_status lip_ranges_walk(const lip_model *model, const lip_input_range *box, lip_memory *memory,
                           lip_range_visit *visit, void *context, lip_error *error)
{
    walk w = { .model = model, .memory = memory };
    lip_status status = box != NULL ? check_box(box, error) : LIP_OK;
    if (status == LIP_OK)
        status = open_walk(&w, error);
    for (size_t i = 0; i < model->input_count && status == LIP_OK; i++)
        status = open_input(&w, model->inputs[i], box, error);
    for (size_t i = 0; i < model->node_count && status == LIP_OK; i++)
        if (!model->nodes[i]->folded)
            status = visit_node(&w, model->nodes[i], visit, context, error);
    close_walk(&w);
    return status;
}
