/*
 * system.c: see system.h. One pass over the nodes: each value is kept as a
 * sparse matrix over the variables found so far.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "system.h"

#include "rounding.h"

#include <string.h>

typedef struct builder {
    const lip_model *model;
    const lip_layer_plan *plans;
    const lip_layer_gain *gains;
    int64_t most; /* variables */
    lip_arena *arena;
    lip_system *system;
    lip_enclosed **values; /* per model value; NULL: not known */
    lip_rows_builder z;
    double z_relative, *z_absolute;
} builder;

static lip_status no_memory(lip_error *error)
{
    return lip_fail(error, LIP_EMEMORY, "the multipliers' system passes the memory cap");
}

static lip_enclosed *new_value(builder *b, const lip_value *value)
{
    return b->values[value->index] = lip_arena_alloc(b->arena, 1, sizeof(lip_enclosed));
}

/* A variable with the row `from` of dz, or none. */
static bool add_variable(builder *b, lip_variable variable, const lip_enclosed *dz, int64_t from)
{
    int64_t at = b->system->variables++;
    b->system->variable[at] = variable;
    for (int64_t e = dz ? dz->m.start[from] : 0; dz && e < dz->m.start[from + 1]; e++)
        if (!lip_rows_put(&b->z, dz->m.col[e], dz->m.value[e]))
            return false;
    lip_rows_next(&b->z);
    if (dz) {
        b->z_relative = fmax(b->z_relative, dz->relative);
        b->z_absolute[at] = dz->absolute ? dz->absolute[from] : 0;
    }
    return true;
}

static lip_status check_room(const builder *b, int64_t more, lip_error *error)
{
    if (more <= b->most && b->system->variables + more <= b->most)
        return LIP_OK;
    return lip_fail(error, LIP_EUNSUPPORTED, "the network has more than %lld neurons and inputs",
                    (long long)b->most);
}

/* *out = the matrix that is 1 from variable `first` on and 0 elsewhere. */
static bool identity(builder *b, int64_t first, int64_t count, lip_enclosed *out)
{
    lip_rows_builder rows;
    bool fine = lip_rows_begin(&rows, b->arena, count, b->most);
    for (int64_t i = 0; fine && i < count; i++) {
        fine = lip_rows_put(&rows, first + i, 1);
        lip_rows_next(&rows);
    }
    *out = (lip_enclosed) { .m = rows.m };
    return fine;
}

static lip_status add_inputs(builder *b, lip_error *error)
{
    for (size_t i = 0; i < b->model->input_count; i++) {
        const lip_value *value = b->model->inputs[i];
        int64_t count, first = b->system->variables;
        if (!value->varies)
            continue;
        if (!lip_shape_count(&value->shape, &count))
            return lip_fail(error, LIP_EUNSUPPORTED, "the size of '%s' overflows", value->name);
        lip_status status = check_room(b, count, error);
        if (status != LIP_OK)
            return status;
        for (int64_t j = 0; j < count; j++)
            if (!add_variable(b, (lip_variable) { LIP_VAR_INPUT, -1, -1, 0, 0 }, NULL, 0))
                return no_memory(error);
        lip_enclosed *to = new_value(b, value);
        if (!to || !identity(b, first, count, to))
            return no_memory(error);
    }
    b->system->inputs = b->system->variables;
    return LIP_OK;
}

static lip_status linear(builder *b, size_t at, lip_error *error)
{
    const lip_node *node = b->plans[at].node;
    lip_rows matrix;
    double relative;
    lip_status status = lip_linear_rows(&b->plans[at], b->arena, &matrix, &relative, error);
    if (status != LIP_OK)
        return status;
    lip_enclosed *out = new_value(b, node->outputs[0]);
    const lip_enclosed *in = b->values[node->inputs[lip_node_varying(node)]->index];
    return out && lip_enclosed_product(&matrix, relative, in, b->arena, out) ? LIP_OK : no_memory(error);
}

/* Slopes of element i. On a range, |slope| <= the gain there; where what is known of the element contradicts the rest,
 * it does not move, and any slopes do. */
static lip_interval slope_of(const builder *b, size_t at, int64_t i)
{
    const lip_layer_plan *plan = &b->plans[at];
    lip_interval slope = { plan->gain.slopes.a, plan->gain.slopes.b };
    if (plan->on_range) {
        slope.lo = fmax(slope.lo, -b->gains[at].upper);
        slope.hi = fmin(slope.hi, b->gains[at].upper);
    }
    if (!plan->on_range || !plan->on_range->slopes)
        return slope;
    lip_interval own = plan->on_range->slopes[i];
    lip_interval both = { fmax(slope.lo, own.lo), fmin(slope.hi, own.hi) };
    return own.lo <= own.hi && both.lo <= both.hi ? both : slope;
}

static double width_of(lip_interval slope)
{
    return slope.lo == slope.hi ? 0 : slope.lo == 0 ? slope.hi : fmax(0, lip_sub_up(slope.hi, slope.lo));
}

/* A variable for each neuron that has a width; *g: what they add to h. */
static lip_status add_neurons(builder *b, size_t at, const lip_enclosed *z, lip_enclosed *g, lip_error *error)
{
    lip_rows_builder rows;
    int64_t count = 0;
    for (int64_t i = 0; i < z->m.rows; i++)
        count += width_of(slope_of(b, at, i)) > 0;
    lip_status status = check_room(b, count, error);
    if (status != LIP_OK)
        return status;
    if (count > 0)
        b->system->first[at] = b->system->variables;
    bool fine = lip_rows_begin(&rows, b->arena, z->m.rows, b->most);
    for (int64_t i = 0; fine && i < z->m.rows; i++) {
        double width = width_of(slope_of(b, at, i));
        if (width > 0) {
            lip_variable variable = { LIP_VAR_SLOPE, (int32_t)b->system->multipliers++, (int32_t)at, (int32_t)i,
                                      width };
            fine = lip_rows_put(&rows, b->system->variables, 1) && add_variable(b, variable, z, i);
        }
        lip_rows_next(&rows);
    }
    *g = (lip_enclosed) { .m = rows.m };
    return fine ? LIP_OK : no_memory(error);
}

/* *out = diag(a) z, a the lower slopes; *any: some a is not 0. */
static bool scale_by_slopes(builder *b, size_t at, const lip_enclosed *z, bool *any, lip_enclosed *out)
{
    lip_rows_builder diagonal;
    bool fine = lip_rows_begin(&diagonal, b->arena, z->m.rows, z->m.rows);
    *any = false;
    for (int64_t i = 0; fine && i < z->m.rows; i++) {
        double a = slope_of(b, at, i).lo;
        fine = a == 0 || lip_rows_put(&diagonal, i, a);
        *any = *any || a != 0;
        lip_rows_next(&diagonal);
    }
    return fine && (!*any || lip_enclosed_product(&diagonal.m, 0, z, b->arena, out));
}

/* h = a z + g. */
static lip_status slopes(builder *b, size_t at, lip_error *error)
{
    const lip_node *node = b->plans[at].node;
    const lip_enclosed *z = b->values[node->inputs[lip_node_varying(node)]->index];
    lip_enclosed g, linear_part, *out = new_value(b, node->outputs[0]);
    bool any;
    if (!out || !scale_by_slopes(b, at, z, &any, &linear_part))
        return no_memory(error);
    lip_status status = add_neurons(b, at, z, &g, error);
    if (status != LIP_OK)
        return status;
    if (any)
        return lip_enclosed_sum(1, &linear_part, 1, &g, b->arena, out) ? LIP_OK : no_memory(error);
    *out = g;
    return LIP_OK;
}

/* Channel of element i of a [1, C, ...] tensor, where multipliers by channel apply; else 0. */
static int64_t channel(const lip_shape *shape, int64_t i, bool by_channel)
{
    int64_t inner = 1;
    for (int d = 2; d < shape->rank; d++)
        inner *= shape->dim[d];
    return by_channel && inner > 0 ? i / inner % shape->dim[1] : 0;
}

/* A node of which the gain is known: T (gain^2 |dz|^2 - |du|^2) >= 0 for each channel of a max-pool, or once. */
static lip_status pass(builder *b, size_t at, lip_error *error)
{
    const lip_node *node = b->plans[at].node;
    lip_gain_kind kind = b->plans[at].gain.kind;
    const lip_shape *result = &node->outputs[0]->shape;
    bool by_channel = strcmp(node->op_type, "MaxPool") == 0 && kind == LIP_GAIN_SELECT && result->rank > 2 &&
                      result->dim[0] == 1;
    int64_t first_multiplier = b->system->multipliers, count, branches = 0;
    double several = 1;
    if (b->plans[at].folded_away || b->plans[at].before || b->plans[at].after || !isfinite(b->gains[at].upper) ||
        !lip_shape_count(result, &count))
        return lip_fail(error, LIP_EUNSUPPORTED, "nothing is known of it but an infinite gain");
    for (size_t i = 0; i < node->input_count; i++)
        branches += node->inputs[i] && node->inputs[i]->varies;
    bool join = kind == LIP_GAIN_JOIN || kind == LIP_GAIN_CONCAT;
    if (branches > 1 && !join)
        several = (double)branches; /* (sum g_i |dz_i|)^2 <= branches * sum g_i^2 |dz_i|^2 */
    b->system->first[at] = b->system->variables;
    for (size_t i = 0; i < node->input_count; i++) {
        const lip_value *in = node->inputs[i];
        if (!in || !in->varies)
            continue;
        const lip_enclosed *z = b->values[in->index];
        double gain = branches > 1 ? lip_range_gain_in(node, &b->plans[at].gain, b->plans[at].on_range, i)
                                   : b->gains[at].upper;
        double squared = kind == LIP_GAIN_SELECT ? (double)b->plans[at].gain.select : lip_mul_up(gain, gain);
        lip_status status = isfinite(squared) ? check_room(b, z->m.rows + count, error)
                                              : lip_fail(error, LIP_EUNSUPPORTED, "several of its inputs vary");
        for (int64_t j = 0; status == LIP_OK && j < z->m.rows; j++) {
            int64_t multiplier = first_multiplier + channel(&in->shape, j, by_channel);
            double constant = fmax(lip_mul_up(squared, several), 0x1p-100); /* a larger gain is a gain too */
            lip_variable variable = { LIP_VAR_AUX, (int32_t)multiplier, (int32_t)at, 0, constant };
            status = add_variable(b, variable, z, j) ? LIP_OK : no_memory(error);
        }
        if (status != LIP_OK)
            return status;
    }
    int64_t first = b->system->variables;
    for (int64_t j = 0; j < count; j++) {
        int64_t multiplier = first_multiplier + channel(result, j, by_channel);
        if (!add_variable(b, (lip_variable) { LIP_VAR_PASS, (int32_t)multiplier, (int32_t)at, 0, 0 }, NULL, 0))
            return no_memory(error);
    }
    b->system->multipliers += by_channel ? result->dim[1] : 1;
    lip_enclosed *out = new_value(b, node->outputs[0]);
    return out && identity(b, first, count, out) ? LIP_OK : no_memory(error);
}

/* Sign of input `index` of an elementwise sum; 0: not one that is understood here. */
static double sign_of(const lip_node *node, const lip_gain *gain, size_t index)
{
    if (node->domain[0] || gain->coefficient != 1)
        return 0;
    if (!lip_shape_equal(&node->inputs[index]->shape, &node->outputs[0]->shape))
        return 0;
    if (strcmp(node->op_type, "Sub") == 0)
        return index == 0 ? 1 : -1;
    return strcmp(node->op_type, "Add") == 0 || strcmp(node->op_type, "Sum") == 0 ? 1 : 0;
}

static lip_status sum(builder *b, size_t at, lip_error *error)
{
    const lip_node *node = b->plans[at].node;
    const lip_enclosed *total = NULL;
    double first_sign = 1;
    for (size_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] && node->inputs[i]->varies && sign_of(node, &b->plans[at].gain, i) == 0)
            return pass(b, at, error);
    for (size_t i = 0; i < node->input_count; i++) {
        if (!node->inputs[i] || !node->inputs[i]->varies)
            continue;
        double sign = sign_of(node, &b->plans[at].gain, i);
        const lip_enclosed *in = b->values[node->inputs[i]->index];
        if (!total) {
            total = in;
            first_sign = sign;
            continue;
        }
        lip_enclosed *next = lip_arena_alloc(b->arena, 1, sizeof *next);
        if (!next || !lip_enclosed_sum(first_sign, total, sign, in, b->arena, next))
            return no_memory(error);
        total = next;
        first_sign = 1;
    }
    lip_enclosed *out = new_value(b, node->outputs[0]);
    if (!out)
        return no_memory(error);
    *out = *total;
    for (int64_t e = 0; first_sign < 0 && e < out->m.start[out->m.rows]; e++) {
        if (e == 0 && !(out->m.value = lip_arena_alloc(b->arena, out->m.start[out->m.rows], sizeof(double))))
            return no_memory(error);
        out->m.value[e] = -total->m.value[e];
    }
    return LIP_OK;
}

static lip_status concat(builder *b, size_t at, lip_error *error)
{
    const lip_node *node = b->plans[at].node;
    const lip_shape *shape = &node->outputs[0]->shape;
    int64_t axis = lip_attr_int(node, "axis", 1), inner = 1, count;
    if (strcmp(node->op_type, "Concat") != 0 || node->domain[0] || !lip_shape_count(shape, &count))
        return pass(b, at, error);
    axis += axis < 0 ? shape->rank : 0;
    for (int64_t d = axis + 1; d < shape->rank; d++)
        inner *= shape->dim[d];
    lip_enclosed *parts = lip_arena_alloc(b->arena, (int64_t)node->input_count, sizeof *parts);
    int32_t *source = lip_arena_alloc(b->arena, count, sizeof *source);
    int64_t *index = lip_arena_alloc(b->arena, count, sizeof *index);
    lip_enclosed *out = new_value(b, node->outputs[0]);
    if (!parts || !source || !index || !out || axis < 0 || axis >= shape->rank)
        return no_memory(error);
    for (int64_t i = 0, before = 0; i < (int64_t)node->input_count; i++) {
        const lip_value *in = node->inputs[i];
        int64_t along = in->shape.dim[axis], elements;
        lip_rows_builder empty;
        if (!lip_shape_count(&in->shape, &elements) ||
            !lip_rows_begin(&empty, b->arena, elements, b->most))
            return no_memory(error);
        for (int64_t j = 0; j < elements; j++)
            lip_rows_next(&empty);
        parts[i] = in->varies ? *b->values[in->index] : (lip_enclosed) { .m = empty.m };
        for (int64_t j = 0; j < elements; j++) {
            int64_t outer = j / (along * inner), rest = j % (along * inner);
            int64_t to = outer * shape->dim[axis] * inner + before * inner + rest;
            source[to] = (int32_t)i;
            index[to] = j;
        }
        before += along;
    }
    return count > 0 && lip_enclosed_gather(parts, source, index, count, b->arena, out) ? LIP_OK : no_memory(error);
}

static lip_status add_node(builder *b, size_t at, lip_error *error)
{
    const lip_node *node = b->plans[at].node;
    if (!node->outputs[0] || !node->outputs[0]->shape_known)
        return lip_fail(error, LIP_EUNSUPPORTED, "its shape is not known");
    for (size_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] && node->inputs[i]->varies && !b->values[node->inputs[i]->index])
            return lip_fail(error, LIP_EUNSUPPORTED, "its input comes from a second output");
    switch (b->plans[at].gain.kind) {
    case LIP_GAIN_ISOMETRY:
    case LIP_GAIN_COPY:
    case LIP_GAIN_NONNEGATIVE:
    case LIP_GAIN_SCALE:
    case LIP_GAIN_DENSE:
    case LIP_GAIN_CONV:
        if (lip_node_varying(node) >= 0) {
            lip_status status = linear(b, at, error);
            return status == LIP_EUNSUPPORTED ? pass(b, at, error) : status;
        }
        return pass(b, at, error);
    case LIP_GAIN_SLOPES:
        return lip_node_varying(node) >= 0 ? slopes(b, at, error) : pass(b, at, error);
    case LIP_GAIN_SUM:
        return sum(b, at, error);
    case LIP_GAIN_CONCAT:
        return concat(b, at, error);
    default:
        return pass(b, at, error);
    }
}

static bool allocate(builder *b, size_t count)
{
    lip_system *s = b->system;
    *s = (lip_system) { .variable = lip_arena_alloc(b->arena, b->most, sizeof *s->variable),
                        .first = lip_arena_alloc(b->arena, (int64_t)count, sizeof *s->first) };
    b->values = lip_arena_alloc(b->arena, (int64_t)b->model->value_count, sizeof(lip_enclosed *));
    b->z_absolute = lip_arena_alloc(b->arena, b->most, sizeof(double));
    for (size_t i = 0; s->first && i < count; i++)
        s->first[i] = -1;
    return s->variable && s->first && b->values && b->z_absolute &&
           lip_rows_begin(&b->z, b->arena, b->most, b->most);
}

lip_status lip_system_build(const lip_model *model, const lip_layer_plan *plans, const lip_layer_gain *gains,
                            size_t count, int64_t most, lip_arena *arena, lip_system *out, lip_error *error)
{
    builder b = { .model = model, .plans = plans, .gains = gains, .most = most, .arena = arena,
                  .system = out };
    if (!allocate(&b, count))
        return no_memory(error);
    lip_status status = add_inputs(&b, error);
    for (size_t i = 0; i < count && status == LIP_OK; i++) {
        status = add_node(&b, i, error);
        if (status != LIP_OK && error) {
            lip_error inner = *error;
            status = lip_fail_node(error, status, plans[i].node, "%s", inner.reason);
        }
    }
    if (status != LIP_OK)
        return status;
    const lip_enclosed *y = b.values[model->logits->index];
    if (!y)
        return lip_fail(error, LIP_EUNSUPPORTED, "the logits are a node's second output");
    b.z.m.rows = out->variables;
    out->z = (lip_enclosed) { b.z.m, b.z_relative, b.z_absolute };
    out->y = *y;
    out->classes = y->m.rows;
    if (out->classes < 1 || out->variables < 1) /* LAPACK complains about matrices without rows, aloud */
        return lip_fail(error, LIP_EUNSUPPORTED, "it has no inputs or no logits");
    return LIP_OK;
}
