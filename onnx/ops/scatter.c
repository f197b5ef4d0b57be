/*
 * scatter.c: ScatterElements (Scatter before opset 11) and ScatterND: a copy
 * of the data in which updates replace elements, or are reduced into them by
 * attribute `reduction` (add, mul, max, min).
 *
 * Gain, with at most m updates for one element:
 *   none      each output is one element of data or updates: parts side by side
 *   max, min  |max(a, b, ..) - max(a', b', ..)|^2 <= |a - a'|^2 + |b - b'|^2 + ..; each input meets one output
 *   add       data: a translation; updates: columns with one 1, rows with up to m: norm sqrt(m), attained
 *   mul       with constant updates a scaling of the data by their products; otherwise a product of activations,
 *             or, with constant data and m = 1, a scaling of the updates
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "copy.h"
#include "gather.h"
#include "outward.h"
#include "support.h"

#include <string.h>

typedef enum reduction { NONE, ADD, MUL, MAX, MIN, REDUCTIONS } reduction;

static lip_status read_reduction(const lip_node *node, reduction *out, lip_error *error)
{
    static const char *const names[] = {"none", "add", "mul", "max", "min"};
    const char *name = lip_attr_string(node, "reduction", "none");
    for (int i = 0; i < REDUCTIONS; i++)
        if (strcmp(names[i], name) == 0) {
            *out = (reduction)i;
            return LIP_OK;
        }
    return lip_fail_node(error, LIP_EFORMAT, node, "attribute reduction is '%s'", name);
}

static reduction reduction_of(const lip_node *node)
{
    reduction found = NONE;
    (void)read_reduction(node, &found, NULL); /* checked by shape */
    return found;
}

static lip_status check_types(const lip_node *node, const lip_shape *updates, lip_error *error)
{
    reduction r = NONE;
    LIP_TRY(read_reduction(node, &r, error));
    if (!lip_shape_equal(updates, &node->inputs[2]->shape))
        return lip_fail_node(error, LIP_EFORMAT, node, "its updates' shape does not fit its data and indices");
    if (node->inputs[0]->dtype != node->inputs[2]->dtype)
        return lip_fail_node(error, LIP_EFORMAT, node, "its updates are of another type than its data");
    return lip_set_output(node, 0, node->inputs[0]->dtype, &node->inputs[0]->shape, error);
}

static lip_status elements_shape(const lip_node *node, lip_error *error)
{
    LIP_TRY(lip_check_inputs(node, 3, 3, error));
    LIP_TRY(lip_check_element_indices(node, error));
    return check_types(node, &node->inputs[1]->shape, error);
}

static lip_status nd_shape(const lip_node *node, lip_error *error)
{
    lip_tuples at = {0};
    lip_shape updates;
    LIP_TRY(lip_check_inputs(node, 3, 3, error));
    LIP_TRY(lip_check_number(node, 0, error));
    LIP_TRY(lip_check_indices(node, error));
    LIP_TRY(lip_tuples_read(node, &at, error));
    if (at.first > 0) return lip_fail_node(error, LIP_EFORMAT, node, "has no attribute batch_dims");
    LIP_TRY(lip_tuples_shape(node, &at, &updates, error));
    LIP_TRY(lip_tuples_check(node, &at, error));
    return check_types(node, &updates, error);
}

/* Where in the data each element of the updates goes. */
static lip_status fill_targets(const lip_call *call, int64_t *to, int64_t count, lip_error *error)
{
    lip_tuples at = {0};
    if (strcmp(call->node->op_type, "ScatterND") != 0) {
        for (int64_t j = 0; j < count; j++) LIP_TRY(lip_element_target(call, j, &to[j], error));
        return LIP_OK;
    }
    LIP_TRY(lip_tuples_read(call->node, &at, error));
    for (int64_t t = 0; t < at.tuples && at.block > 0; t++) {
        int64_t *block = to + t * at.block;
        LIP_TRY(lip_tuple_target(call->node, &at, call->in[1]->i64, 0, t, block, error));
        for (int64_t i = 1; i < at.block; i++) block[i] = block[0] + i;
    }
    return LIP_OK;
}

/* The list of targets; the caller gives it back. */
static lip_status open_targets(const lip_call *call, int64_t **out, lip_error *error)
{
    int64_t count = call->in[2]->count, *to = lip_alloc(call->memory, count, sizeof *to);
    if (!to) return lip_fail_memory(error, call->node, "where its updates go");
    lip_status status = fill_targets(call, to, count, error);
    if (status)
        lip_free(call->memory, to);
    else
        *out = to;
    return status;
}

static double reduce_real(reduction r, double y, double u)
{
    switch (r) {
    case ADD: return y + u;
    case MUL: return y * u;
    case MAX: return u > y || isnan(u) ? u : y;
    case MIN: return u < y || isnan(u) ? u : y;
    default: return u;
    }
}

static int64_t reduce_whole(reduction r, int64_t y, int64_t u)
{
    switch (r) {
    case ADD: return (int64_t)((uint64_t)y + (uint64_t)u);
    case MUL: return (int64_t)((uint64_t)y * (uint64_t)u);
    case MAX: return u > y ? u : y;
    case MIN: return u < y ? u : y;
    default: return u;
    }
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    int64_t *to = NULL;
    if (!call->out[0]) return LIP_OK;
    LIP_TRY(open_targets(call, &to, error));
    const reduction r = reduction_of(call->node);
    const bool no_data = call->linear_part && r != MUL && !lip_input_varies(call->node, 0);
    const bool no_updates = call->linear_part && r != MUL && !lip_input_varies(call->node, 2);
    const lip_tensor *data = call->in[0], *updates = call->in[2];
    lip_tensor *y = call->out[0];
    if (no_data)
        memset(y->room, 0, (size_t)data->count * sizeof(double));
    else if (data->count > 0)
        memcpy(y->room, data->data, (size_t)data->count * sizeof(double));
    for (int64_t j = 0; j < updates->count; j++) {
        if (y->storage == LIP_F64)
            y->f64_room[to[j]] = reduce_real(r, y->f64[to[j]], no_updates ? 0 : updates->f64[j]);
        else
            y->i64_room[to[j]] = lip_wrap(reduce_whole(r, y->i64[to[j]], updates->i64[j]), y->dtype);
    }
    lip_free(call->memory, to);
    return LIP_OK;
}

/* An element's gradient goes to the input that it is, the last update first (of equal ones that made a maximum,
 * one). */
static void pass_selected(const lip_call *call, reduction r, const int64_t *to, unsigned char *given)
{
    const double *g = call->out_grad[0], *y = call->out[0]->f64;
    for (int64_t j = call->in[2]->count - 1; j >= 0; j--) {
        if (given[to[j]] || (r != NONE && call->in[2]->f64[j] != y[to[j]])) continue;
        if (call->in_grad[2]) call->in_grad[2][j] = g[to[j]];
        given[to[j]] = 1;
    }
    for (int64_t i = 0; call->in_grad[0] && i < call->in[0]->count; i++) call->in_grad[0][i] = given[i] ? 0 : g[i];
}

/* d(product)/d(factor): the product of the others, once more for each factor. */
static void pass_product(const lip_call *call, const int64_t *to)
{
    const double *g = call->out_grad[0];
    const lip_tensor *data = call->in[0], *updates = call->in[2];
    for (int64_t i = 0; call->in_grad[0] && i < data->count; i++) call->in_grad[0][i] = g[i];
    for (int64_t j = 0; call->in_grad[0] && j < updates->count; j++) call->in_grad[0][to[j]] *= updates->f64[j];
    for (int64_t j = 0; call->in_grad[2] && j < updates->count; j++) {
        double others = data->f64[to[j]];
        for (int64_t k = 0; k < updates->count; k++)
            if (k != j && to[k] == to[j]) others *= updates->f64[k];
        call->in_grad[2][j] = g[to[j]] * others;
    }
}

static lip_status adjoint(const lip_call *call, lip_error *error)
{
    int64_t *to = NULL;
    lip_zero_grad(call, 0);
    lip_zero_grad(call, 2);
    if (!call->out_grad[0]) return LIP_OK;
    LIP_TRY(open_targets(call, &to, error));
    const reduction r = reduction_of(call->node);
    unsigned char *given = lip_alloc(call->memory, call->in[0]->count, sizeof *given);
    if (given && r == ADD) {
        for (int64_t i = 0; call->in_grad[0] && i < call->in[0]->count; i++)
            call->in_grad[0][i] = call->out_grad[0][i];
        for (int64_t j = 0; call->in_grad[2] && j < call->in[2]->count; j++)
            call->in_grad[2][j] = call->out_grad[0][to[j]];
    } else if (given && r == MUL) {
        pass_product(call, to);
    } else if (given) {
        pass_selected(call, r, to, given);
    }
    lip_status status = given ? LIP_OK : lip_fail_memory(error, call->node, "marks");
    lip_free(call->memory, given);
    lip_free(call->memory, to);
    return status;
}

/* The most updates that one element gets, and the largest |product| of constant updates (at least that of none, 1). */
static void count_collisions(const lip_tensor *updates, const int64_t *to, int64_t *hits, double *products,
                             int64_t elements, int64_t *most, double *largest)
{
    for (int64_t i = 0; i < elements; i++) products[i] = 1;
    for (int64_t j = 0; j < updates->count; j++) {
        hits[to[j]]++;
        products[to[j]] = lip_up(fabs(products[to[j]] * (updates->data ? lip_tensor_real(updates, j) : 1)));
    }
    *most = 0;
    *largest = 0;
    for (int64_t i = 0; i < elements; i++) {
        *most = hits[i] > *most ? hits[i] : *most;
        *largest = fmax(*largest, products[i]);
    }
}

static void set_gain(const lip_node *node, reduction r, int64_t most, double largest, lip_gain *gain)
{
    const bool data = lip_input_varies(node, 0), updates = lip_input_varies(node, 2);
    const double root = sqrt((double)most), upper = root * root == (double)most ? root : lip_up(root);
    if (r == ADD && updates && !data)
        *gain = (lip_gain){.kind = LIP_GAIN_LIPSCHITZ, .lipschitz = {upper, most > 0 ? lip_down(root) : 0}};
    else if (r == ADD)
        *gain = (lip_gain){.kind = LIP_GAIN_SUM, .coefficient = updates && most > 1 ? upper : 1};
    else if (!updates && lip_node_constant(node, 2))
        *gain = (lip_gain){.kind = LIP_GAIN_LIPSCHITZ, .lipschitz = {.upper = largest}};
    else
        *gain = lip_gain_none(LIP_GAIN_UNBOUNDED, "the product of two activations is not Lipschitz: its slope in one "
                                                  "factor is the other factor");
}

static lip_status describe(const lip_node *node, lip_arena *arena, lip_gain *gain, lip_error *error)
{
    reduction r = NONE;
    const lip_tensor *indices = lip_node_constant(node, 1), *constant = lip_node_constant(node, 2);
    LIP_TRY(read_reduction(node, &r, error));
    if (lip_input_varies(node, 1))
        *gain = lip_gain_none(LIP_GAIN_UNBOUNDED, "discontinuous: its indices depend on the input");
    else if ((r == ADD || r == MUL) && !indices)
        *gain = lip_gain_none(LIP_GAIN_UNKNOWN, "its indices are not constant");
    else if (r == MAX || r == MIN)
        *gain = (lip_gain){.kind = LIP_GAIN_JOIN};
    if ((r != ADD && r != MUL) || gain->kind == LIP_GAIN_UNBOUNDED || !indices) return LIP_OK;
    lip_tensor data = {.shape = node->inputs[0]->shape}, updates = {.shape = node->inputs[2]->shape};
    lip_shape_count(&data.shape, &data.count);
    lip_shape_count(&updates.shape, &updates.count);
    int64_t *to = lip_arena_alloc(arena, updates.count, sizeof *to), most;
    int64_t *hits = lip_arena_alloc(arena, data.count, sizeof *hits);
    double *products = lip_arena_alloc(arena, data.count, sizeof *products), largest;
    if (!to || !hits || !products) return lip_fail_memory(error, node, "where its updates go");
    const lip_call call = {.node = node, .in = (const lip_tensor *const[]){&data, indices, &updates}};
    LIP_TRY(fill_targets(&call, to, updates.count, error));
    count_collisions(constant ? constant : &updates, to, hits, products, data.count, &most, &largest);
    set_gain(node, r, most, largest, gain);
    return LIP_OK;
}

#define SCATTER(symbol, name_, first, last, shape_) \
    const lip_op lip_op_##symbol = {                \
        .name = name_,                              \
        .domain = "",                               \
        .opset_first = first,                       \
        .opset_last = last,                         \
        .gain = {.kind = LIP_GAIN_CONCAT},          \
        .shape = shape_,                            \
        .forward = forward,                         \
        .adjoint = adjoint,                         \
        .describe = describe,                       \
    }

SCATTER(scatter, "Scatter", 9, 10, elements_shape); /* ScatterElements since */
SCATTER(scatter_elements, "ScatterElements", 11, LIP_OPSET_LAST, elements_shape);
SCATTER(scatter_nd, "ScatterND", 11, LIP_OPSET_LAST, nd_shape);
