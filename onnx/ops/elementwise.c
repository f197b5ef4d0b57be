/*
 * elementwise.c: scalar functions over tensors, with broadcasting.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"

#include "support.h"

#include <string.h>

lip_status lip_map_forward(const lip_call *call, lip_scalar *f, const double *p)
{
    const double *x = call->in[0]->f64;
    double *y = call->out[0] ? call->out[0]->f64_room : NULL;
    if (!y) return LIP_OK;
    for (int64_t i = 0; i < call->in[0]->count; i++) y[i] = f(x[i], p);
    return LIP_OK;
}

lip_status lip_map_adjoint(const lip_call *call, lip_scalar *slope, const double *p)
{
    const double *x = call->in[0]->f64, *g = call->out_grad[0];
    double *to = call->in_grad[0];
    if (!to) return LIP_OK;
    int64_t count = call->in[0]->count;
    if (!g) {
        for (int64_t i = 0; i < count; i++) to[i] = 0;
        return LIP_OK;
    }
    /* A zero gradient stays zero even where the slope is infinite (sqrt at 0). */
    for (int64_t i = 0; i < count; i++) to[i] = g[i] == 0 ? 0 : slope(x[i], p) * g[i];
    return LIP_OK;
}

lip_status lip_number_forward(const lip_call *call, lip_scalar *f, lip_whole_scalar *whole)
{
    if (!call->out[0]) return LIP_OK;
    if (call->in[0]->storage == LIP_F64) return lip_map_forward(call, f, NULL);
    const int64_t *x = call->in[0]->i64;
    int64_t *y = call->out[0]->i64_room;
    for (int64_t i = 0; i < call->in[0]->count; i++) y[i] = lip_wrap(whole(x[i]), call->out[0]->dtype);
    return LIP_OK;
}

lip_status lip_shape_of_number(const lip_node *node, lip_error *error)
{
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_check_number(node, 0, error));
    return lip_set_output(node, 0, node->inputs[0]->dtype, &node->inputs[0]->shape, error);
}

/* Before opset 7, attribute `broadcast` allows the second input to be spread, placed at `axis` (default: the end). */
static lip_status place_second(const lip_node *node, lip_pair *pair, lip_error *error)
{
    const lip_shape *a = &pair->a, b = pair->b;
    if (lip_shape_equal(a, &b)) return LIP_OK;
    if (lip_attr_int(node, "broadcast", 0) == 0)
        return lip_fail_node(error, LIP_EFORMAT, node, "its inputs have different shapes and attribute broadcast is 0");
    int64_t axis = lip_attr_int(node, "axis", a->rank - b.rank);
    if (axis < 0 && lip_attr_find(node, "axis")) axis += a->rank;
    if (axis < 0 || axis > a->rank - b.rank)
        return lip_fail_node(error, LIP_EFORMAT, node, "attribute axis does not place its second input in the first");
    pair->b.rank = a->rank;
    for (int i = 0; i < a->rank; i++) pair->b.dim[i] = i >= axis && i < axis + b.rank ? b.dim[i - axis] : 1;
    for (int i = 0; i < a->rank; i++) {
        if (pair->b.dim[i] != 1 && pair->b.dim[i] != a->dim[i])
            return lip_fail_node(error, LIP_EFORMAT, node, "its second input does not fit the first at axis %d", i);
    }
    return LIP_OK;
}

lip_status lip_pair_shapes(const lip_node *node, lip_pair *pair, lip_error *error)
{
    pair->a = node->inputs[0]->shape;
    pair->b = node->inputs[1]->shape;
    if (node->opset < 7 && node->domain[0] == '\0') LIP_TRY(place_second(node, pair, error));
    if (lip_shape_broadcast(&pair->a, &pair->b, &pair->y)) return LIP_OK;
    char a[128], b[128];
    lip_shape_text(&pair->a, a, sizeof a);
    lip_shape_text(&pair->b, b, sizeof b);
    return lip_fail_node(error, LIP_EFORMAT, node, "its inputs' shapes %s and %s do not broadcast", a, b);
}

lip_status lip_pair_shape(const lip_node *node, lip_dtype dtype, lip_error *error)
{
    lip_pair pair;
    LIP_TRY(lip_check_inputs(node, 2, 2, error));
    LIP_TRY(lip_check_number(node, 0, error));
    LIP_TRY(lip_check_number(node, 1, error));
    lip_dtype a = node->inputs[0]->dtype, b = node->inputs[1]->dtype;
    if (lip_dtype_is_real(a) != lip_dtype_is_real(b))
        return lip_fail_node(error, LIP_EFORMAT, node, "its inputs are %s and %s", lip_dtype_name(a),
                             lip_dtype_name(b));
    LIP_TRY(lip_pair_shapes(node, &pair, error));
    return lip_set_output(node, 0, dtype ? dtype : a, &pair.y, error);
}

lip_broadcast lip_broadcast_begin(const lip_shape *y, const lip_shape *const *operand, int operands)
{
    lip_broadcast it = {.operands = operands, .row = 1, .rank = 0};
    int64_t count;
    it.empty = !lip_shape_count(y, &count) || count == 0;
    if (it.empty) {
        it.row = 0;
        return it;
    }
    /* Dimensions in which every operand continues the next one merge into it: long rows. */
    for (int d = 0; d < y->rank; d++) {
        if (y->dim[d] == 1) continue;
        int64_t stride[LIP_BROADCAST_OPERANDS];
        bool merge = it.rank > 0;
        for (int k = 0; k < operands; k++) {
            int own = d - (y->rank - operand[k]->rank);
            bool spread = own < 0 || operand[k]->dim[own] == 1;
            stride[k] = spread ? 0 : lip_dims_product(operand[k], own + 1, operand[k]->rank);
            if (merge && it.stride[k][it.rank - 1] != stride[k] * y->dim[d]) merge = false;
        }
        if (!merge) it.dim[it.rank++] = 1;
        it.dim[it.rank - 1] *= y->dim[d];
        for (int k = 0; k < operands; k++) it.stride[k][it.rank - 1] = stride[k];
    }
    if (it.rank > 0) it.row = it.dim[it.rank - 1];
    for (int k = 0; k < operands; k++) it.step[k] = it.rank > 0 ? it.stride[k][it.rank - 1] : 0;
    return it;
}

bool lip_broadcast_next(lip_broadcast *it)
{
    if (it->empty) return false;
    it->at += it->row;
    for (int d = it->rank - 2; d >= 0; d--) {
        for (int k = 0; k < it->operands; k++) it->offset[k] += it->stride[k][d];
        if (++it->index[d] < it->dim[d]) return true;
        for (int k = 0; k < it->operands; k++) it->offset[k] -= it->stride[k][d] * it->dim[d];
        it->index[d] = 0;
    }
    return false;
}

static lip_status whole_row(const lip_call *call, const lip_broadcast *it, lip_whole *whole, lip_error *error)
{
    const int64_t *a = call->in[0]->i64 + it->offset[0], *b = call->in[1]->i64 + it->offset[1];
    int64_t *y = call->out[0]->i64_room + it->at;
    for (int64_t i = 0; i < it->row; i++) {
        if (!whole(a[i * it->step[0]], b[i * it->step[1]], &y[i]))
            return lip_fail_node(error, LIP_EFORMAT, call->node, "has no value at element %lld: division by zero",
                                 (long long)(it->at + i));
        y[i] = lip_wrap(y[i], call->out[0]->dtype);
    }
    return LIP_OK;
}

lip_status lip_pair_forward(const lip_call *call, lip_real_row *row, lip_whole *whole, lip_error *error)
{
    lip_pair pair;
    if (!call->out[0]) return LIP_OK;
    LIP_TRY(lip_pair_shapes(call->node, &pair, error));
    const lip_shape *operand[] = {&pair.a, &pair.b};
    lip_broadcast it = lip_broadcast_begin(&pair.y, operand, 2);
    bool real = call->in[0]->storage == LIP_F64;
    if (!real && !whole)
        return lip_fail_node(error, LIP_EUNSUPPORTED, call->node, "is not defined on %s",
                             lip_dtype_name(call->in[0]->dtype));
    do {
        if (it.empty) break;
        if (real) {
            row(it.row, call->in[0]->f64 + it.offset[0], it.step[0], call->in[1]->f64 + it.offset[1], it.step[1],
                call->out[0]->f64_room + it.at);
        } else {
            LIP_TRY(whole_row(call, &it, whole, error));
        }
    } while (lip_broadcast_next(&it));
    return LIP_OK;
}

static void adjoint_row(const lip_call *call, const lip_broadcast *it, lip_slopes *slopes)
{
    const double *a = call->in[0]->f64 + it->offset[0], *b = call->in[1]->f64 + it->offset[1];
    const double *g = call->out_grad[0] + it->at;
    for (int64_t i = 0; i < it->row; i++) {
        int64_t at_a = i * it->step[0], at_b = i * it->step[1];
        double in_a, in_b;
        slopes(a[at_a], b[at_b], &in_a, &in_b);
        if (call->in_grad[0]) call->in_grad[0][it->offset[0] + at_a] += in_a * g[i];
        if (call->in_grad[1]) call->in_grad[1][it->offset[1] + at_b] += in_b * g[i];
    }
}

lip_status lip_pair_adjoint(const lip_call *call, lip_slopes *slopes, lip_error *error)
{
    lip_pair pair;
    LIP_TRY(lip_pair_shapes(call->node, &pair, error));
    for (int k = 0; k < 2; k++) {
        if (call->in_grad[k]) memset(call->in_grad[k], 0, (size_t)call->in[k]->count * sizeof(double));
    }
    if (!call->out_grad[0]) return LIP_OK;
    const lip_shape *operand[] = {&pair.a, &pair.b};
    lip_broadcast it = lip_broadcast_begin(&pair.y, operand, 2);
    do {
        if (!it.empty) adjoint_row(call, &it, slopes);
    } while (lip_broadcast_next(&it));
    return LIP_OK;
}
