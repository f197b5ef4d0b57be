/*
 * pad.c: Pad with a constant, or by reflection, edge or wrapping; negative
 * pads crop. Each output element is one input element or the constant: the
 * source is found axis by axis.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "ranges.h"
#include "support.h"

#include <string.h>

typedef enum pad_mode { PAD_CONSTANT, PAD_REFLECT, PAD_EDGE, PAD_WRAP } pad_mode;

typedef struct layout {
    int rank;
    int64_t n[LIP_MAX_RANK], begin[LIP_MAX_RANK], out[LIP_MAX_RANK];
    pad_mode mode;
} layout;

static lip_status mode_of(const lip_node *node, pad_mode *mode, lip_error *error)
{
    static const char *const names[] = {"constant", "reflect", "edge", "wrap"};
    const char *text = lip_attr_string(node, "mode", "constant");
    for (int i = 0; i < 4; i++) {
        *mode = (pad_mode)i;
        if (strcmp(text, names[i]) == 0) return LIP_OK;
    }
    return lip_fail_node(error, LIP_EFORMAT, node, "attribute mode is '%s'", text);
}

/* Pads per axis of the data, begin and end. */
static lip_status pads_of(const lip_node *node, int rank, int64_t *begin, int64_t *end, lip_error *error)
{
    lip_ints pads, axes = {0};
    bool found[LIP_MAX_RANK];
    if (node->opset >= 11) {
        LIP_TRY(lip_ints_of_input(node, 1, "pads", &pads, error));
        LIP_TRY(lip_ints_of_input(node, 3, "axes", &axes, error));
    } else {
        LIP_TRY(lip_ints_of_attr(node, node->opset < 2 ? "paddings" : "pads", &pads, error));
    }
    int64_t count = axes.value ? axes.count : rank;
    if (!pads.value || pads.count != 2 * count || count > rank)
        return lip_fail_node(error, LIP_EFORMAT, node, "has %lld pads for %lld axes", (long long)pads.count,
                             (long long)count);
    if (axes.value) LIP_TRY(lip_check_axes(node, axes.value, count, rank, found, error));
    for (int i = 0; i < rank; i++) begin[i] = end[i] = 0;
    for (int64_t i = 0; i < count; i++) {
        int64_t axis = axes.value ? axes.value[i] : i;
        if (axis < 0) axis += rank;
        begin[axis] = pads.value[i];
        end[axis] = pads.value[count + i];
    }
    return LIP_OK;
}

static lip_status layout_of(const lip_node *node, layout *at, lip_error *error)
{
    int64_t end[LIP_MAX_RANK];
    const lip_shape *x = &node->inputs[0]->shape;
    at->rank = x->rank;
    LIP_TRY(mode_of(node, &at->mode, error));
    LIP_TRY(pads_of(node, x->rank, at->begin, end, error));
    for (int i = 0; i < x->rank; i++) {
        const int64_t limit = INT64_MAX / 4;
        at->n[i] = x->dim[i];
        bool sane = at->begin[i] > -limit && at->begin[i] < limit && end[i] > -limit && end[i] < limit;
        sane = sane && at->n[i] < limit;
        at->out[i] = sane ? at->n[i] + at->begin[i] + end[i] : -1;
        if (at->out[i] < 0)
            return lip_fail_node(error, LIP_EFORMAT, node, "cannot pad %lld elements of axis %d by %lld and %lld",
                                 (long long)at->n[i], i, (long long)at->begin[i], (long long)end[i]);
        if (at->mode != PAD_CONSTANT && at->n[i] == 0 && at->out[i] > 0)
            return lip_fail_node(error, LIP_EFORMAT, node, "axis %d has no element to repeat", i);
    }
    return LIP_OK;
}

static lip_status shape(const lip_node *node, lip_error *error)
{
    layout at = {0};
    LIP_TRY(lip_check_inputs(node, 1, 4, error));
    LIP_TRY(lip_check_number(node, 0, error));
    LIP_TRY(layout_of(node, &at, error));
    const lip_value *fill = node->opset >= 11 ? lip_node_input(node, 2) : NULL;
    int64_t count = 1;
    if (fill && (!lip_shape_count(&fill->shape, &count) || count != 1 || fill->dtype != node->inputs[0]->dtype))
        return lip_fail_node(error, LIP_EFORMAT, node, "its constant value is not a scalar of its input's type");
    lip_shape y = {.rank = at.rank};
    memcpy(y.dim, at.out, sizeof y.dim);
    return lip_set_output(node, 0, node->inputs[0]->dtype, &y, error);
}

/* The source of output position j of an axis, -1 for the constant. */
static int64_t source(const layout *at, int axis, int64_t j)
{
    int64_t n = at->n[axis], i = j - at->begin[axis];
    if (i >= 0 && i < n) return i;
    if (at->mode == PAD_CONSTANT) return -1;
    if (at->mode == PAD_EDGE) return i < 0 ? 0 : n - 1;
    int64_t period = at->mode == PAD_WRAP ? n : n > 1 ? 2 * (n - 1) : 1;
    i = (i % period + period) % period;
    return i < n ? i : period - i;
}

/* The gradient of the input element `from`, or of the constant (-1); NULL where it is not wanted. */
static double *at_source(const lip_call *call, int64_t from)
{
    if (from >= 0) return call->in_grad[0] ? call->in_grad[0] + from : NULL;
    return call->node->opset >= 11 && lip_node_input(call->node, 2) ? call->in_grad[2] : NULL;
}

/* Visits every output element with its source; forward where `fill` is given, adjoint otherwise. */
static lip_status walk(const lip_call *call, const layout *at, const double *fill, lip_error *error)
{
    int last = at->rank - 1;
    int64_t index[LIP_MAX_RANK] = {0}, rows = 1, width = at->rank > 0 ? at->out[last] : 1;
    for (int d = 0; d < last; d++) rows *= at->out[d];
    int64_t *in_row = lip_alloc(call->memory, width, sizeof *in_row);
    if (!in_row) return lip_fail_memory(error, call->node, "the sources of a row");
    for (int64_t j = 0; j < width; j++) in_row[j] = at->rank > 0 ? source(at, last, j) : 0;
    for (int64_t r = 0; r < rows && width > 0; r++) {
        int64_t begin = 0;
        for (int d = 0; d < last && begin >= 0; d++) {
            int64_t from = source(at, d, index[d]);
            begin = from < 0 ? -1 : (begin * at->n[d] + from);
        }
        if (begin >= 0 && at->rank > 0) begin *= at->n[last];
        for (int64_t j = 0; j < width; j++) {
            int64_t from = begin < 0 || in_row[j] < 0 ? -1 : begin + in_row[j], to = r * width + j;
            if (!fill && at_source(call, from))
                *at_source(call, from) += call->out_grad[0][to];
            else if (fill)
                memcpy(call->out[0]->f64_room + to, from < 0 ? fill : call->in[0]->f64 + from, sizeof *fill);
        }
        for (int d = last - 1; d >= 0 && ++index[d] == at->out[d]; d--) index[d] = 0;
    }
    lip_free(call->memory, in_row);
    return LIP_OK;
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    layout at = {0};
    double fill = 0;
    if (!call->out[0]) return LIP_OK;
    LIP_TRY(layout_of(call->node, &at, error));
    if (call->node->opset < 11) {
        fill = lip_attr_float(call->node, "value", 0.0f);
        int64_t whole = fill > -0x1p62 && fill < 0x1p62 ? (int64_t)fill : 0;
        if (call->in[0]->storage == LIP_I64) memcpy(&fill, &whole, sizeof fill);
    } else if (lip_node_input(call->node, 2)) {
        memcpy(&fill, call->in[2]->f64, sizeof fill); /* 8 bytes, real or whole */
    }
    if (call->linear_part) fill = 0;
    return walk(call, &at, &fill, error);
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    layout at = {0};
    lip_zero_grad(call, 0);
    if (call->node->input_count > 2) lip_zero_grad(call, 2);
    if (!call->out_grad[0]) return LIP_OK;
    LIP_TRY(layout_of(call->node, &at, error));
    return walk(call, &at, NULL, error);
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    (void)arena;
    int64_t begin[LIP_MAX_RANK], end[LIP_MAX_RANK];
    int rank = node->inputs[0]->shape.rank;
    pad_mode mode = PAD_CONSTANT;
    LIP_TRY(mode_of(node, &mode, error));
    LIP_TRY(pads_of(node, rank, begin, end, error));
    if (node->opset >= 11 && lip_input_varies(node, 2))
        *gain = lip_gain_none(LIP_GAIN_UNKNOWN, "its padding value depends on the input");
    for (int i = 0; i < rank && mode != PAD_CONSTANT; i++)
        if ((begin[i] < 0 && end[i] > 0) || (begin[i] > 0 && end[i] < 0))
            *gain = lip_gain_none(LIP_GAIN_UNKNOWN, "the standard does not say whether it crops before it repeats");
    return LIP_OK;
}

const lip_op lip_op_pad = {
    .name = "Pad",
    .domain = "",
    .opset_first = 1,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_COPY},
    .shape = shape,
    .forward = forward,
    .adjoint = adjoint,
    .describe = describe,
    .range = lip_range_monotone,
};
