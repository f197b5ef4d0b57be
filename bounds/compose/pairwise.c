/*
 * pairwise.c: see pairwise.h.
 *
 * f = R h + c with h the map to the last nonlinear node: |(f_t - f_j)(x) - (f_t - f_j)(x')| <= ||R_t - R_j||_2
 * ||h(x) - h(x')||. R = A_m ... A_1 is never formed by matrix products: row t is A_1' ... A_m' e_t. With N_i =
 * || |A_i| ||_2 (>= ||A_i||) and g_i the growth of the roundings of one adjoint product, its error E obeys
 *     E_{i-1} <= N_i E_i + g_i N_i (||z_i|| + E_i),   E_m = 0.
 * The first matrix from the end is read, not multiplied: its elements are float32 numbers, exact up to folded scales.
 *
 * Distances: fl(a - b) has one rounding, d squares and their sum d + 1 more: s (1 + gamma_{d+8}) covers them; squares
 * that underflow are off by at most 2^-1074 each. Errors E_t and E_j, and the relative error of the elements times
 * ||R_t|| + ||R_j||, are added.
 *
 * A scale that was folded into another layer counts where that layer is, so the bound of the map up to a value between
 * the two says nothing about it: R does not begin there.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "pairwise.h"
#include "certify/magnitude.h"
#include "rounding.h"
#include "run.h"

#include <string.h>

/* The linear nodes at the end, from the logits up. */
typedef struct suffix {
    const lip_model *model;
    const lip_layer_plan *plans;
    const double *cumulative;
    size_t count;
    size_t *maker;    /* per value: the plan that makes it, count if none */
    size_t *level;    /* plans, the last of the network first */
    size_t levels;    /* in use */
    const lip_value *begin; /* what the last level reads */
    lip_memory *memory;
} suffix;

static int64_t count_of(const lip_value *value)
{
    int64_t count;
    return value && value->shape_known && lip_shape_count(&value->shape, &count) ? count : INT64_MAX;
}

static bool is_translation(const lip_layer_plan *plan)
{
    int input = lip_node_varying(plan->node);
    return plan->gain.kind == LIP_GAIN_SUM && plan->gain.coefficient == 1 && input >= 0 &&
           lip_shape_equal(&plan->node->inputs[input]->shape, &plan->node->outputs[0]->shape);
}

bool lip_keeps_order(const lip_layer_plan *plan)
{
    static const char *const ops[] = { "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity" };
    if (is_translation(plan))
        return true;
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (plan->gain.kind == LIP_GAIN_ISOMETRY && strcmp(plan->node->op_type, ops[i]) == 0)
            return lip_node_varying(plan->node) >= 0;
    return false;
}

bool lip_dense_is_whole(const lip_layer_plan *plan)
{
    const lip_dense *d = &plan->gain.dense;
    int input = lip_node_varying(plan->node);
    return plan->gain.kind == LIP_GAIN_DENSE && d->batch == 1 && d->multiplicity == 1 && input >= 0 &&
           count_of(plan->node->inputs[input]) == d->cols && count_of(plan->node->outputs[0]) == d->rows;
}

double lip_dense_rows(const lip_layer_plan *plan, double *rows)
{
    const lip_dense *d = &plan->gain.dense;
    lip_layer_task task = { .before = plan->before ? &plan->before->gain.scale : NULL,
                            .after = plan->after ? &plan->after->gain.scale : NULL };
    for (int64_t i = 0; i < d->rows; i++)
        for (int64_t j = 0; j < d->cols; j++) {
            double w = lip_tensor_real(d->weight, i * d->row_stride + j * d->col_stride);
            w = lip_fold(lip_fold(w, d->alpha), lip_scale_at(task.after, i));
            rows[i * d->cols + j] = lip_fold(w, lip_scale_at(task.before, j));
        }
    return lip_fold_error(&task, d->alpha != 1);
}

/* --------------------------------------------------------------- distances */

static double square_distance(const double *a, const double *b, int64_t width)
{
    enum { LANES = 8 };
    double sum[LANES] = { 0 }, total = 0;
    int64_t i = 0;
    for (; i + LANES <= width; i += LANES)
        for (int k = 0; k < LANES; k++)
            sum[k] += (a[i + k] - b[i + k]) * (a[i + k] - b[i + k]);
    for (; i < width; i++)
        total += (a[i] - b[i]) * (a[i] - b[i]);
    for (int k = 0; k < LANES; k++)
        total += sum[k];
    return total;
}

void lip_pair_distances(const double *rows, int64_t count, int64_t width, const double *errors, double *distance)
{
    double gamma = lip_gamma((double)width + 16), tiny = (double)width * LIP_TINY;
    for (int64_t t = 0; t < count; t++) {
        distance[t * count + t] = 0;
        for (int64_t j = 0; j < t; j++) {
            double square = square_distance(rows + t * width, rows + j * width, width);
            double length = lip_sqrt_up(lip_add_up(lip_mul_up(square, 1 + gamma), tiny));
            double whole = lip_add_up(length, lip_add_up(errors[t], errors[j]));
            distance[t * count + j] = distance[j * count + t] = whole;
        }
    }
}

/* ------------------------------------------------------------------ suffix */

static bool is_linear(const lip_layer_plan *plan)
{
    if (lip_node_varying(plan->node) < 0)
        return false;
    switch (plan->gain.kind) {
    case LIP_GAIN_ISOMETRY:
    case LIP_GAIN_COPY:
    case LIP_GAIN_NONNEGATIVE:
    case LIP_GAIN_SCALE:
    case LIP_GAIN_DENSE:
    case LIP_GAIN_CONV:
    case LIP_GAIN_SUM: return true;
    default: return false;
    }
}

/* Whether `cumulative` bounds the map up to this value: not between a scale and the layer that took it. */
static bool is_sound_begin(const suffix *s, const lip_value *value)
{
    size_t i = s->maker[value->index];
    while (i < s->count && is_translation(&s->plans[i]))
        i = s->maker[s->plans[i].node->inputs[lip_node_varying(s->plans[i].node)]->index];
    return i == s->count || (!s->plans[i].folded_away && !s->plans[i].after);
}

/* As many levels as are linear and leave a matrix of an affordable size. */
static void find_levels(suffix *s, int64_t classes)
{
    const lip_value *v = s->begin;
    size_t depth = 0;
    for (size_t i = s->maker[v->index]; i < s->count && is_linear(&s->plans[i]); i = s->maker[v->index]) {
        if (s->plans[i].node->outputs[0] != v)
            break;
        s->level[depth++] = i;
        v = s->plans[i].node->inputs[lip_node_varying(s->plans[i].node)];
        int64_t width = count_of(v);
        double flops = (double)classes * (double)classes * (double)width;
        bool fits = width <= LIP_PAIRWISE_ELEMENTS / classes && flops <= LIP_PAIRWISE_FLOPS;
        if (fits && is_sound_begin(s, v)) {
            s->begin = v;
            s->levels = depth;
        }
    }
}

/* N and g of one level. */
static lip_status adjoint_error(const suffix *s, const lip_layer_plan *plan, double *norm, double *growth,
                                lip_error *error)
{
    double terms = 0;
    double in = (double)count_of(plan->node->inputs[lip_node_varying(plan->node)]);
    double out = (double)count_of(plan->node->outputs[0]);
    lip_status status = LIP_OK;
    *norm = 1;
    if (plan->gain.kind == LIP_GAIN_DENSE || plan->gain.kind == LIP_GAIN_CONV) {
        lip_magnitude m = { 0, 0, 0 };
        status = lip_magnitude_of(&plan->gain, NULL, NULL, s->memory, &m, error);
        *norm = m.upper;
        terms = m.column_terms;
    } else if (plan->gain.kind == LIP_GAIN_SCALE) {
        *norm = 0;
        for (int64_t i = 0; i < plan->gain.scale.count; i++)
            *norm = fmax(*norm, fabs(plan->gain.scale.factor[i]) * (1 + 2 * plan->gain.scale.relative_error));
        *norm = lip_mul_up(*norm, lip_sqrt_up((double)plan->gain.scale.multiplicity));
        terms = 8 + (double)plan->gain.scale.multiplicity;
    } else if (plan->gain.kind != LIP_GAIN_ISOMETRY && !is_translation(plan)) {
        *norm = lip_sqrt_up(in * out); /* coefficients in [0, 1]: the Frobenius norm */
        terms = out;
    }
    *growth = lip_gamma(terms + 16);
    return status;
}

/* rows [classes][count of the level's output] -> next [classes][count of its input]; errors grow. */
static lip_status apply_level(const suffix *s, size_t level, int64_t classes, const double *rows, double *next,
                              double *errors, lip_error *error)
{
    const lip_layer_plan *plan = &s->plans[s->level[level]];
    int64_t in = count_of(plan->node->inputs[lip_node_varying(plan->node)]), out = count_of(plan->node->outputs[0]);
    double norm, growth;
    lip_apply *apply = NULL;
    lip_status status = adjoint_error(s, plan, &norm, &growth, error);
    if (status == LIP_OK)
        status = lip_apply_open(plan->node, s->memory, &apply, error);
    for (int64_t t = 0; t < classes && status == LIP_OK; t++) {
        double length = lip_add_up(lip_norm_upper(rows + t * out, out), errors[t]);
        status = lip_apply_adjoint(apply, rows + t * out, next + t * in, error);
        errors[t] = lip_mul_up(norm, lip_add_up(errors[t], lip_mul_up(growth, length)));
        errors[t] = lip_add_up(errors[t], 0x1p-900); /* underflow */
    }
    lip_apply_free(&apply);
    return status;
}

/* The rows of the last matrix read, or those of the identity; *level: the first that is left to apply. */
static double *first_rows(const suffix *s, int64_t classes, double *errors, size_t *level)
{
    size_t at = 0;
    while (at < s->levels && lip_keeps_order(&s->plans[s->level[at]]))
        at++;
    const lip_layer_plan *plan = at < s->levels ? &s->plans[s->level[at]] : NULL;
    bool read = plan && lip_dense_is_whole(plan) && !plan->before && !plan->after;
    int64_t width = read ? plan->gain.dense.cols : classes, elements;
    double *rows = lip_size_mul(classes, width, &elements) ? lip_alloc(s->memory, elements, sizeof *rows) : NULL;
    if (!rows)
        return NULL;
    double relative = read ? lip_dense_rows(plan, rows) : 0;
    for (int64_t t = 0; t < classes; t++) {
        if (!read)
            rows[t * width + t] = 1;
        errors[t] = lip_mul_up(relative, lip_norm_upper(rows + t * width, width));
    }
    *level = read ? at + 1 : 0;
    return rows;
}

static lip_status full(lip_error *error)
{
    return lip_fail(error, LIP_EMEMORY, "the rows of the network's last linear part pass the memory cap");
}

static lip_status rows_of(const suffix *s, int64_t classes, double **out, double *errors, lip_error *error)
{
    size_t level = 0;
    double *rows = first_rows(s, classes, errors, &level);
    lip_status status = rows ? LIP_OK : full(error);
    for (; level < s->levels && status == LIP_OK; level++) {
        const lip_node *node = s->plans[s->level[level]].node;
        int64_t elements;
        double *next = lip_size_mul(classes, count_of(node->inputs[lip_node_varying(node)]), &elements)
                           ? lip_alloc(s->memory, elements, sizeof *next) : NULL;
        status = next ? apply_level(s, level, classes, rows, next, errors, error) : full(error);
        lip_free(s->memory, rows);
        rows = next;
    }
    *out = rows;
    return status;
}

/* ------------------------------------------------------------------- table */

static int64_t classes_of(const lip_value *logits)
{
    const lip_shape *s = &logits->shape;
    bool vector = logits->shape_known && (s->rank == 1 || (s->rank == 2 && s->dim[0] == 1));
    int64_t classes = vector ? s->dim[s->rank - 1] : 0;
    return classes >= 2 && classes <= LIP_PAIRWISE_CLASSES ? classes : 0;
}

/* No entry above sqrt(2) L_F; the largest. */
static void finish(lip_pairwise *out, double reach, double network_upper, bool has_rows)
{
    double most = lip_mul_up(lip_sqrt_up(2), network_upper);
    int64_t k = out->classes;
    out->max_upper = 0;
    for (int64_t t = 0; t < k; t++)
        for (int64_t j = 0; j < k; j++) {
            double *entry = &out->upper[t * k + j];
            *entry = t == j ? 0 : has_rows ? fmin(most, lip_mul_up(reach, *entry)) : most;
            out->max_upper = fmax(out->max_upper, *entry);
        }
    out->method = has_rows ? "rows of the last linear part" : "sqrt(2) L_F";
}

static lip_status fill(suffix *s, double network_upper, lip_pairwise *out, lip_arena *arena, lip_error *error)
{
    int64_t k = out->classes;
    double *rows = NULL, *errors = lip_alloc(s->memory, k, sizeof *errors);
    out->upper = lip_arena_alloc(arena, k * k, sizeof *out->upper);
    lip_status status = errors && out->upper ? LIP_OK : full(error);
    bool has_rows = status == LIP_OK && s->levels > 0 && rows_of(s, k, &rows, errors, NULL) == LIP_OK;
    if (has_rows)
        lip_pair_distances(rows, k, count_of(s->begin), errors, out->upper);
    size_t maker = s->maker[s->begin->index];
    if (status == LIP_OK)
        finish(out, maker < s->count ? s->cumulative[maker] : 1, network_upper, has_rows);
    lip_free(s->memory, rows);
    lip_free(s->memory, errors);
    return status;
}

lip_status lip_pairwise_bounds(const lip_model *model, const lip_layer_plan *plans, const double *cumulative,
                               size_t count, double network_upper, lip_arena *arena, lip_memory *memory,
                               lip_pairwise *out, lip_error *error)
{
    suffix s = { .model = model, .plans = plans, .cumulative = cumulative, .count = count, .memory = memory,
                 .begin = model->logits };
    *out = (lip_pairwise) { .classes = classes_of(model->logits), .max_upper = (double)NAN, .method = "" };
    if (out->classes == 0 || !isfinite(network_upper) || !model->logits->varies)
        return LIP_OK;
    s.maker = lip_alloc(memory, (int64_t)model->value_count, sizeof *s.maker);
    s.level = lip_alloc(memory, (int64_t)count, sizeof *s.level);
    lip_status status = s.maker && s.level ? LIP_OK : full(error);
    for (size_t v = 0; v < model->value_count && status == LIP_OK; v++)
        s.maker[v] = count;
    for (size_t i = 0; i < count && status == LIP_OK; i++)
        for (size_t o = 0; o < plans[i].node->output_count; o++)
            if (plans[i].node->outputs[o])
                s.maker[plans[i].node->outputs[o]->index] = i;
    if (status == LIP_OK) {
        find_levels(&s, out->classes);
        status = fill(&s, network_upper, out, arena, error);
    }
    lip_free(memory, s.level);
    lip_free(memory, s.maker);
    return status;
}
