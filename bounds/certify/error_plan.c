/*
 * error_plan.c: the steps of an execution.
 *
 * A matrix or convolution is one step with the scales that the report folds into it and the constants added between
 * and after them, since runtimes fold them too (batch-norm into weights) or not. Written out, every execution of
 *     y = s (W (t x + c) + b) + d
 * is a sum of terms s w t x, s w c, s b, d, each with at most k + 8 + 16 * scales + 2 * constants roundings on its way
 * (products, sums in any order, the weight's own conversion, factors folded in any order), so that with |.| elementwise
 *     |error| <= ((1 + u)^units - 1) (|s| |W| |t| |x| + |s| |W| |c| + |s| |b| + |d|) + underflow.
 * In the 2-norm, with M = || |s| |W| |t| ||_2 and M' = || |s| |W| ||_2 [magnitude.c],
 *     size = M ||x|| + M' ||c|| + || |s| |b| + |d| ||.
 * Underflow: a product below the normal range is off by tiny, a weight that was folded or converted as well; later
 * factors enlarge it by at most the largest scale.
 *
 * Why 2-norms: e_out = |W| e_in + ..., element by element, loses every cancellation of signs from layer to layer. On
 * the fixtures (100 images, float32, error over margin in the median): small base 0.028 by norms and 0.040 by elements,
 * small lmt 0.007 and 0.018, wide residual lmt 0.019 and 9.3 (nothing certified). Measuring || |W| |x| + |b| || by a
 * second product in place of M ||x|| gives 0.014, 0.005, 0.013: 2.0, 0.4 and 0.7 % more radius at twice the cost of
 * the forward pass. M ||x|| costs nothing.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "error_plan.h"
#include "compose/pairwise.h"
#include "error_rules.h"
#include "magnitude.h"
#include "rounding.h"

#include <string.h>

/* A product with what is executed as one with it: plans[first] ... plans[end], each reading only the one before. */
typedef struct group {
    bool is_member;             /* in some group */
    size_t leader;              /* the product's plan */
    size_t first, end;          /* of a leader */
} group;

typedef struct builder {
    const lip_model *model;
    const lip_layer_plan *plans;
    const double *gains, *cumulative;
    size_t count;
    group *groups;
    size_t *reader, *maker;     /* per value: the plan that alone reads it, that makes it; count: none */
    double *product_units;      /* per value: of the product that made it, where nobody else reads it */
    lip_arena *arena;
    lip_memory *memory;
    lip_error_plan *out;
} builder;

static const lip_ieee half = { 0x1p-11, 0x1p-25, 65504 }, coarse = { 0x1p-8, 0x1p-25, 65504 };

static lip_status full(lip_error *error)
{
    return lip_fail(error, LIP_EMEMORY, "the error analysis of the network passes the memory cap");
}

static bool is_product(const lip_layer_plan *plan)
{
    return plan->gain.kind == LIP_GAIN_DENSE || plan->gain.kind == LIP_GAIN_CONV;
}

static bool keeps_shape(const lip_layer_plan *plan)
{
    int input = lip_node_varying(plan->node);
    return input >= 0 && lip_shape_equal(&plan->node->inputs[input]->shape, &plan->node->outputs[0]->shape);
}

static bool is_translation(const lip_layer_plan *plan)
{
    return plan->gain.kind == LIP_GAIN_SUM && plan->gain.coefficient == 1 && keeps_shape(plan);
}

/* ------------------------------------------------------------------ groups */

static void map_values(builder *b)
{
    for (size_t v = 0; v < b->model->value_count; v++)
        b->reader[v] = b->maker[v] = b->count;
    for (size_t i = 0; i < b->count; i++) {
        const lip_node *node = b->plans[i].node;
        for (size_t k = 0; k < node->input_count; k++)
            if (node->inputs[k] && node->inputs[k]->varies && node->inputs[k]->consumers == 1)
                b->reader[node->inputs[k]->index] = i;
        for (size_t o = 0; o < node->output_count; o++)
            if (node->outputs[o])
                b->maker[node->outputs[o]->index] = i;
    }
}

/* The plan that alone reads output 0 of plan i, count if there is none. */
static size_t next_of(const builder *b, size_t i) { return b->reader[b->plans[i].node->outputs[0]->index]; }

static void group_around(builder *b, size_t leader)
{
    const lip_layer_plan *product = &b->plans[leader];
    group *g = &b->groups[leader];
    *g = (group) { true, leader, leader, leader };
    for (size_t i = next_of(b, leader); i < b->count && lip_node_varying(b->plans[i].node) >= 0; i = next_of(b, i)) {
        if (!is_translation(&b->plans[i]) && &b->plans[i] != product->after)
            break;
        b->groups[i] = (group) { .is_member = true, .leader = leader };
        g->end = i;
    }
    for (size_t i = leader; product->before && &b->plans[i] != product->before;) {
        i = b->maker[b->plans[i].node->inputs[lip_node_varying(b->plans[i].node)]->index];
        b->groups[i] = (group) { .is_member = true, .leader = leader };
        g->first = i;
    }
    b->groups[leader].is_member = true;
    b->groups[leader].leader = leader;
}

/* ------------------------------------------------------------------- steps */

static const lip_ieee *coarsest_of(const lip_node *node, const lip_ieee *found)
{
    for (size_t i = 0; i < node->input_count + node->output_count; i++) {
        const lip_value *v = i < node->input_count ? node->inputs[i] : node->outputs[i - node->input_count];
        if (v && v->dtype == LIP_DTYPE_BFLOAT16)
            return &coarse;
        if (v && v->dtype == LIP_DTYPE_FLOAT16)
            found = found ? found : &half;
    }
    return found;
}

static lip_error_branch *branches_of(const builder *b, size_t plan, size_t *count)
{
    const lip_node *node = b->plans[plan].node;
    const lip_gain *gain = &b->plans[plan].gain;
    lip_error_branch *branches = lip_arena_alloc(b->arena, (int64_t)node->input_count, sizeof *branches);
    bool several = lip_node_varying(node) < 0;
    *count = 0;
    for (size_t i = 0; branches && i < node->input_count; i++)
        if (node->inputs[i] && node->inputs[i]->varies)
            branches[(*count)++] = (lip_error_branch) { .value = node->inputs[i]->index,
                .gain = several ? lip_branch_gain(node, gain, i) : b->gains[plan] };
    return branches;
}

static double largest_factor(const lip_scale *scale)
{
    double largest = 1;
    for (int64_t i = 0; scale && i < scale->count; i++)
        largest = fmax(largest, fabs(scale->factor[i]));
    return largest;
}

/* to *= |s|. */
static void scale_vector(const lip_scale *scale, const lip_shape *shape, double *to)
{
    int64_t count, inner = 1;
    lip_shape_count(shape, &count);
    for (int d = scale->axis + 1; scale->axis >= 0 && d < shape->rank; d++)
        inner *= shape->dim[d];
    for (int64_t i = 0; i < count; i++)
        to[i] *= fabs(lip_scale_at(scale, i / inner % scale->count));
}

/* Constants of plans[from] ... plans[to], in the order in which they are executed, elementwise. NULL: not known. */
static double *constants_of(const builder *b, size_t from, size_t to, lip_memory *memory, bool *known)
{
    int64_t count = 0;
    const lip_value *end = b->plans[to].node->outputs[0];
    *known = lip_shape_count(&end->shape, &count);
    double *sum = lip_alloc(memory, count, sizeof *sum);
    for (size_t i = from; sum && *known; i = next_of(b, i)) {
        const lip_layer_plan *plan = &b->plans[i];
        if (plan->gain.kind == LIP_GAIN_SCALE)
            scale_vector(&plan->gain.scale, &end->shape, sum);
        *known = lip_add_constants(plan->node, &plan->gain, sum);
        if (i == to)
            break;
    }
    return sum;
}

static double norm_of_constants(const double *sum, const lip_value *end)
{
    int64_t count;
    lip_shape_count(&end->shape, &count);
    return lip_mul_up(lip_norm_upper(sum, count), 1 + 0x1p-44); /* the roundings of the sum */
}

/* The constants before a product, in the units of its input: || |W| |c| || is at most the magnitude times || c ||. */
static lip_status constants_before(const builder *b, const group *g, double *norm, bool *known, lip_error *error)
{
    size_t last = b->maker[b->plans[g->leader].node->inputs[lip_node_varying(b->plans[g->leader].node)]->index];
    double *sum = constants_of(b, g->first, last, b->memory, known);
    if (!sum)
        return full(error);
    *norm = *known ? norm_of_constants(sum, b->plans[last].node->outputs[0]) : (double)INFINITY;
    lip_free(b->memory, sum);
    return LIP_OK;
}

/* units, magnitude, tiny terms of the product of a group; *constants (NULL where not known) belong to the caller. */
static lip_status measure_group(const builder *b, const group *g, lip_error_step *step, lip_magnitude *magnitude,
                                double **constants, lip_error *error)
{
    const lip_layer_plan *product = &b->plans[g->leader];
    const lip_scale *before = product->before ? &product->before->gain.scale : NULL;
    const lip_scale *after = product->after ? &product->after->gain.scale : NULL;
    bool known = true, known_before = true;
    lip_status status = lip_magnitude_of(&product->gain, before, after, b->memory, magnitude, error);
    step->units = 8 + magnitude->row_terms;
    for (size_t i = g->first; status == LIP_OK; i = next_of(b, i)) {
        step->units += b->plans[i].gain.kind == LIP_GAIN_SCALE ? LIP_SCALE_UNITS : LIP_SHIFT_UNITS;
        step->coarsest = coarsest_of(b->plans[i].node, step->coarsest);
        if (i == g->end)
            break;
    }
    if (status == LIP_OK && before) {
        double norm = 0;
        lip_magnitude plain;
        status = lip_magnitude_of(&product->gain, NULL, after, b->memory, &plain, error);
        if (status == LIP_OK)
            status = constants_before(b, g, &norm, &known_before, error);
        step->constant = lip_mul_up(plain.upper, norm);
    }
    if (status != LIP_OK)
        return status;
    *constants = constants_of(b, g->leader, g->end, b->memory, &known);
    if (!*constants)
        return full(error);
    if (!known || !known_before)
        step->refusal = "a constant that it adds is not known";
    double later = largest_factor(after) * largest_factor(before);
    step->tiny_constant = lip_mul_up(2 * step->units * later, lip_root_of_count(b->plans[g->end].node->outputs[0]));
    step->tiny_gain = lip_mul_up(4 * later, lip_sqrt_up(magnitude->row_terms * magnitude->column_terms));
    return LIP_OK;
}

/* Rows of the last matrix, for lip_error_of_row. */
static lip_status keep_rows(const builder *b, const group *g, const lip_error_step *step, const double *constants,
                            int64_t classes, lip_error *error)
{
    lip_error_plan *out = b->out;
    const lip_layer_plan *product = &b->plans[g->leader];
    const lip_dense *d = &product->gain.dense;
    int64_t elements;
    if (product->gain.kind != LIP_GAIN_DENSE || product->before || !lip_dense_is_whole(product) || d->rows != classes)
        return LIP_OK;
    if (!lip_size_mul(classes, d->cols, &elements) || elements > LIP_PAIRWISE_ELEMENTS ||
        (double)elements * (double)classes > LIP_PAIRWISE_FLOPS)
        return LIP_OK;
    double *rows = lip_alloc(b->memory, elements, sizeof *rows);
    out->pair = lip_arena_alloc(b->arena, classes * classes, sizeof *out->pair);
    out->row = lip_arena_alloc(b->arena, classes, sizeof *out->row);
    out->row_constant = lip_arena_alloc(b->arena, classes, sizeof *out->row_constant);
    if (rows && out->pair && out->row && out->row_constant) {
        double relative = lip_dense_rows(product, rows);
        for (int64_t t = 0; t < classes; t++)
            out->row[t] = lip_mul_up(relative, lip_norm_upper(rows + t * d->cols, d->cols));
        lip_pair_distances(rows, classes, d->cols, out->row, out->pair);
        for (int64_t t = 0; t < classes; t++) {
            out->row[t] = lip_add_up(out->row[t], lip_norm_upper(rows + t * d->cols, d->cols));
            out->row_constant[t] = lip_mul_up(constants[t], 1 + 0x1p-44);
        }
        out->terms = 2 * step->units * largest_factor(product->after ? &product->after->gain.scale : NULL);
        out->row_tiny = lip_mul_up(out->terms, lip_sqrt_up((double)d->cols));
        out->last = out->count;
    }
    lip_free(b->memory, rows);
    return rows && out->row_constant ? LIP_OK : full(error);
}

/* Whether `end` reaches the logits through nothing but other names and shapes. */
static bool is_at_logits(const builder *b, size_t end)
{
    const lip_value *v = b->model->logits;
    for (size_t i = b->maker[v->index]; i < b->count; i = b->maker[v->index]) {
        if (i == end)
            return v == b->plans[i].node->outputs[0];
        if (!lip_keeps_order(&b->plans[i]))
            return false;
        v = b->plans[i].node->inputs[lip_node_varying(b->plans[i].node)];
    }
    return false;
}

static lip_status add_group(const builder *b, size_t leader, int64_t classes, lip_error_step *step, lip_error *error)
{
    const group *g = &b->groups[leader];
    const lip_node *first = b->plans[g->first].node;
    lip_magnitude magnitude = { 0, 0, 0 };
    double *constants = NULL;
    step->node = b->plans[g->end].node;
    lip_status status = measure_group(b, g, step, &magnitude, &constants, error);
    if (status == LIP_OK) {
        step->branches[0] = (lip_error_branch) { first->inputs[lip_node_varying(first)]->index, b->gains[leader],
                                                 magnitude.upper };
        step->constant = lip_add_up(step->constant, norm_of_constants(constants, step->node->outputs[0]));
        b->product_units[step->node->outputs[0]->index] = step->units;
        if (classes > 0 && !step->refusal && is_at_logits(b, g->end))
            status = keep_rows(b, g, step, constants, classes, error);
    }
    lip_free(b->memory, constants);
    return status;
}

static lip_status add_node(const builder *b, size_t i, lip_error_step *step, lip_error *error)
{
    const lip_layer_plan *plan = &b->plans[i];
    const lip_node *node = step->node = plan->node;
    step->squares = (plan->gain.kind == LIP_GAIN_JOIN || plan->gain.kind == LIP_GAIN_CONCAT) && step->branch_count > 1;
    step->coarsest = coarsest_of(node, NULL);
    lip_error_rule(node, &plan->gain, step);
    for (size_t o = 1; o < node->output_count; o++)
        if (node->outputs[o] && node->outputs[o]->varies && node->outputs[o]->consumers > 0 && step->units > 0)
            step->refusal = "the rounding error of its second output is not bounded";
    for (size_t k = 0; k < step->branch_count && plan->gain.kind == LIP_GAIN_SUM; k++) /* a runtime may fuse them */
        if (b->reader[step->branches[k].value] == i)
            step->units = fmax(step->units, b->product_units[step->branches[k].value] + LIP_SHIFT_UNITS +
                                                (double)node->input_count);
    if (plan->gain.kind != LIP_GAIN_SCALE)
        return LIP_OK;
    bool known;
    double *constants = constants_of(b, i, i, b->memory, &known);
    if (!constants)
        return full(error);
    step->constant = known ? norm_of_constants(constants, node->outputs[0]) : 0;
    if (!known)
        step->refusal = "a constant that it adds is not known";
    lip_free(b->memory, constants);
    return LIP_OK;
}

static lip_status add_steps(const builder *b, int64_t classes, lip_error *error)
{
    lip_error_plan *out = b->out;
    lip_status status = LIP_OK;
    for (size_t i = 0; i < b->count && status == LIP_OK; i++) {
        bool leads = is_product(&b->plans[i]);
        lip_error_step *step = &out->steps[out->count];
        if (b->groups[i].is_member && !leads)
            continue;
        step->branches = branches_of(b, i, &step->branch_count);
        if (!step->branches)
            return full(error);
        status = leads ? add_group(b, i, classes, step, error) : add_node(b, i, step, error);
        size_t end = leads ? b->groups[i].end : i;
        for (size_t o = 0; o < step->node->output_count; o++)
            if (step->node->outputs[o])
                out->lipschitz[step->node->outputs[o]->index] = b->cumulative[end];
        for (size_t k = 0; k < step->branch_count && step->units > 0; k++)
            out->is_measured[step->branches[k].value] = true;
        out->count++;
        lip_model_release(b->model, b->plans[i].node);
    }
    return status;
}

lip_status lip_error_plan_make(const lip_model *model, const lip_layer_plan *plans, const double *gains,
                               const double *cumulative, size_t count, int64_t classes, lip_arena *arena,
                               lip_memory *memory, lip_error_plan *out, lip_error *error)
{
    int64_t values = (int64_t)model->value_count;
    builder b = { .model = model, .plans = plans, .gains = gains, .cumulative = cumulative, .count = count,
                  .arena = arena, .memory = memory, .out = out };
    *out = (lip_error_plan) { .value_count = model->value_count, .logits = model->logits->index,
                              .last = SIZE_MAX, .classes = classes };
    b.groups = lip_arena_alloc(arena, (int64_t)count, sizeof *b.groups);
    b.reader = lip_arena_alloc(arena, values, sizeof *b.reader);
    b.maker = lip_arena_alloc(arena, values, sizeof *b.maker);
    b.product_units = lip_arena_alloc(arena, values, sizeof *b.product_units);
    out->steps = lip_arena_alloc(arena, (int64_t)count, sizeof *out->steps);
    out->lipschitz = lip_arena_alloc(arena, values, sizeof *out->lipschitz);
    out->is_measured = lip_arena_alloc(arena, values, sizeof *out->is_measured);
    if (!b.groups || !b.reader || !b.maker || !b.product_units || !out->steps || !out->lipschitz || !out->is_measured)
        return full(error);
    for (size_t i = 0; i < model->input_count; i++)
        if (model->inputs[i]->varies) {
            out->input = model->inputs[i]->index;
            out->input_tiny = lip_root_of_count(model->inputs[i]);
        }
    out->lipschitz[out->input] = 1;
    out->is_measured[out->input] = true;
    map_values(&b);
    for (size_t i = 0; i < count; i++)
        if (is_product(&plans[i]))
            group_around(&b, i);
    return add_steps(&b, classes, error);
}
