/*
 * error_group.c: a product with the scales and constants around it, one step.
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
 * factors enlarge it by at most the largest scale. So is a factor, and with it what it multiplies: at most
 * peak ||x|| + peak_constant. Overflow: the weights themselves, converted or folded, are numbers of the step.
 *
 * Why 2-norms: e_out = |W| e_in + ..., element by element, loses every cancellation of signs from layer to layer. On
 * the fixtures (100 images, float32, error over margin in the median): small base 0.028 by norms and 0.040 by elements,
 * small lmt 0.007 and 0.018, wide residual lmt 0.019 and 9.3 (nothing certified). Measuring || |W| |x| + |b| || by a
 * second product in place of M ||x|| gives 0.014, 0.005, 0.013: 2.0, 0.4 and 0.7 % more radius at twice the cost of
 * the forward pass. M ||x|| costs nothing.
 *
 * Our own execution adds up products in short sums [batch.h]: in place of the k roundings it has own_units.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "compose/pairwise.h"
#include "error_builder.h"
#include "error_rules.h"
#include "magnitude.h"
#include "rounding.h"

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

static void map_values(lip_error_builder *b)
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

static void group_around(lip_error_builder *b, size_t leader)
{
    const lip_layer_plan *product = &b->plans[leader];
    lip_error_group *g = &b->groups[leader];
    *g = (lip_error_group) { true, leader, leader, leader };
    for (size_t i = lip_error_next(b, leader); i < b->count && lip_node_varying(b->plans[i].node) >= 0;
         i = lip_error_next(b, i)) {
        if (!is_translation(&b->plans[i]) && &b->plans[i] != product->after)
            break;
        b->groups[i] = (lip_error_group) { .is_member = true, .leader = leader };
        g->end = i;
    }
    for (size_t i = leader; product->before && &b->plans[i] != product->before;) {
        i = b->maker[b->plans[i].node->inputs[lip_node_varying(b->plans[i].node)]->index];
        b->groups[i] = (lip_error_group) { .is_member = true, .leader = leader };
        g->first = i;
    }
    b->groups[leader].is_member = true;
    b->groups[leader].leader = leader;
}

void lip_error_find_groups(lip_error_builder *b)
{
    map_values(b);
    for (size_t i = 0; i < b->count; i++)
        if (is_product(&b->plans[i]))
            group_around(b, i);
}

const lip_ieee *lip_error_coarsest(const lip_node *node, const lip_ieee *found)
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
static double *constants_of(const lip_error_builder *b, size_t from, size_t to, lip_memory *memory, bool *known)
{
    int64_t count = 0;
    const lip_value *end = b->plans[to].node->outputs[0];
    *known = lip_shape_count(&end->shape, &count);
    double *sum = lip_alloc(memory, count, sizeof *sum);
    for (size_t i = from; sum && *known; i = lip_error_next(b, i)) {
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
static lip_status constants_before(const lip_error_builder *b, const lip_error_group *g, double *norm, bool *known,
                                   lip_error *error)
{
    size_t last = b->maker[b->plans[g->leader].node->inputs[lip_node_varying(b->plans[g->leader].node)]->index];
    double *sum = constants_of(b, g->first, last, b->memory, known);
    if (!sum)
        return full(error);
    *norm = *known ? norm_of_constants(sum, b->plans[last].node->outputs[0]) : (double)INFINITY;
    lip_free(b->memory, sum);
    return LIP_OK;
}

/* A bound m ||x|| + c of every number of an execution that folds nothing, node after node. */
static lip_status measure_peak(const lip_error_builder *b, const lip_error_group *g, lip_error_step *step,
                               double magnitude, lip_error *error)
{
    double m = 1, c = 0;
    lip_status status = LIP_OK;
    for (size_t i = g->first; status == LIP_OK; i = lip_error_next(b, i)) {
        const lip_layer_plan *plan = &b->plans[i];
        bool known, scales = plan->gain.kind == LIP_GAIN_SCALE;
        double *constants = constants_of(b, i, i, b->memory, &known);
        if (!constants)
            return full(error);
        if (scales)
            step->peak_constant = fmax(step->peak_constant, lip_add_up(c, lip_constant_before_scale(plan->node)));
        double factor = scales ? largest_factor(&plan->gain.scale) : i == g->leader ? magnitude : 1;
        m = lip_mul_up(m, factor);
        c = lip_add_up(lip_mul_up(c, factor), norm_of_constants(constants, plan->node->outputs[0]));
        lip_free(b->memory, constants);
        step->peak = fmax(step->peak, m);
        step->peak_constant = fmax(step->peak_constant, c);
        if (i == g->end)
            break;
    }
    return status;
}

/* No stored element of a matrix is larger: one of A = alpha W is at most its norm. */
static double largest_weight(const lip_layer_plan *product, double norm)
{
    double alpha = product->gain.kind == LIP_GAIN_DENSE ? fabs(product->gain.dense.alpha) : 1;
    return alpha < 1 && norm > 0 ? lip_div_up(norm, alpha) : norm;
}

/* units, magnitude, tiny terms of the product of a group; *constants (NULL where not known) belong to the caller. */
static lip_status measure_group(const lip_error_builder *b, const lip_error_group *g, lip_error_step *step,
                                lip_magnitude *magnitude, double **constants, lip_error *error)
{
    const lip_layer_plan *product = &b->plans[g->leader];
    const lip_scale *before = product->before ? &product->before->gain.scale : NULL;
    const lip_scale *after = product->after ? &product->after->gain.scale : NULL;
    bool known = true, known_before = true;
    lip_magnitude plain = { 0, 0, 0 };
    lip_status status = lip_magnitude_of(&product->gain, before, after, b->memory, magnitude, error);
    if (status == LIP_OK && (before || after))
        status = lip_magnitude_of(&product->gain, NULL, NULL, b->memory, &plain, error);
    if (status == LIP_OK)
        status = measure_peak(b, g, step, before || after ? plain.upper : magnitude->upper, error);
    step->units = step->own_units = LIP_PRODUCT_UNITS + magnitude->row_terms;
    for (size_t i = g->first; status == LIP_OK; i = lip_error_next(b, i)) {
        bool scales = b->plans[i].gain.kind == LIP_GAIN_SCALE;
        step->units += scales ? LIP_SCALE_UNITS : LIP_SHIFT_UNITS;
        step->own_units += scales ? lip_own_scale_units(b->plans[i].node) : LIP_SHIFT_UNITS;
        step->coarsest = lip_error_coarsest(b->plans[i].node, step->coarsest);
        lip_error_of_divisors(b->plans[i].node, step);
        if (i == g->end)
            break;
    }
    if (status == LIP_OK && before) {
        double norm = 0;
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
    double later = lip_mul_up(largest_factor(after), largest_factor(before));
    double roots = lip_sqrt_up(lip_mul_up(magnitude->row_terms, magnitude->column_terms));
    step->tiny_constant = lip_mul_up(2 * step->units * later, lip_root_of_count(b->plans[g->end].node->outputs[0]));
    step->tiny_constant = lip_add_up(step->tiny_constant, lip_mul_up(4 * later, step->peak_constant));
    step->tiny_gain = lip_mul_up(4 * later, lip_add_up(roots, step->peak));
    step->peak_constant = lip_add_up(step->peak_constant, lip_add_up(1, largest_weight(product, step->peak)));
    step->peak_constant = lip_mul_up(later, step->peak_constant);
    return LIP_OK;
}

/* Rows of the last matrix, for lip_error_of_row. */
static lip_status keep_rows(const lip_error_builder *b, const lip_error_group *g, const lip_error_step *step,
                            const double *constants, int64_t classes, lip_error *error)
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
        double later = largest_factor(product->after ? &product->after->gain.scale : NULL);
        out->terms = lip_add_up(2 * step->units * later, lip_mul_up(4 * later, step->peak_constant));
        out->row_tiny = lip_mul_up(2 * step->units * later, lip_add_up(lip_sqrt_up((double)d->cols), step->peak));
        out->last = out->count;
    }
    lip_free(b->memory, rows);
    return rows && out->row_constant ? LIP_OK : full(error);
}

/* Whether `end` reaches the logits through nothing but other names and shapes. */
static bool is_at_logits(const lip_error_builder *b, size_t end)
{
    const lip_value *v = b->model->logits;
    for (size_t i = b->maker[v->index]; i < b->count; i = b->maker[v->index]) {
        if (i == end)
            return v == b->plans[i].node->outputs[0];
        if (!lip_keeps_order(&b->plans[i]) || is_translation(&b->plans[i])) /* what it adds is rounded once more */
            return false;
        v = b->plans[i].node->inputs[lip_node_varying(b->plans[i].node)];
    }
    return false;
}

lip_status lip_error_group_step(const lip_error_builder *b, size_t leader, int64_t classes, lip_error_step *step,
                                lip_error *error)
{
    const lip_error_group *g = &b->groups[leader];
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
        step->product = b->plans[leader].node;
        step->product_terms = magnitude.row_terms;
        if (classes > 0 && !step->refusal && is_at_logits(b, g->end))
            status = keep_rows(b, g, step, constants, classes, error);
    }
    lip_free(b->memory, constants);
    return status;
}

lip_status lip_error_scale_constants(const lip_error_builder *b, size_t plan, double *norm, bool *known,
                                     lip_error *error)
{
    double *constants = constants_of(b, plan, plan, b->memory, known);
    if (!constants)
        return full(error);
    *norm = *known ? norm_of_constants(constants, b->plans[plan].node->outputs[0]) : 0;
    lip_free(b->memory, constants);
    return LIP_OK;
}
