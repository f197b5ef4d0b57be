/*
 * slope_search.c: ascent of secants.
 *
 * For a centre c, a unit d and a length s let x0, x1 = c -+ s d / 2 and
 * F = |f(x1) - f(x0)| / s, a quotient that is continuous in c and d where the
 * Jacobian jumps. With e = (f(x1) - f(x0)) / |...| and g_i = J(x_i)' e,
 *     dF/dd = (g_0 + g_1) / 2,   dF/dc = (g_1 - g_0) / s,
 * so d becomes the unit vector along g_0 + g_1 (the step of a power
 * iteration) and c moves along g_1 - g_0, by steps that shrink where they bring
 * nothing. The length shrinks from stage to stage: long secants see the whole
 * landscape, short ones end in one linear piece. Every |g_i| <= ||J(x_i)||.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "slope_search.h"

#include "gain/box.h"
#include "linear/random.h"
#include "run.h"

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <string.h>

enum { STARTS = 12, STEPS = 16, STAGES = 6, FIRST_NEAR = 2, POWER_STEPS = 3 };
static const double LENGTHS[STAGES] = { 16, 6, 2, 0.6, 0.1, 1e-3 };

typedef struct search {
    const lip_model *model;
    const lip_slope_options *options;
    lip_run *run;
    blasint n, k;
    size_t input;
    int64_t left; /* evaluations */
    double *centre, *direction, *new_centre, *x, *g0, *g1, *y0, *y1, best;
} search;

/* f at centre + offset * direction, inside the range; y := logits. */
static bool evaluate(search *s, const double *centre, double offset, double *y)
{
    for (blasint i = 0; i < s->n; i++)
        s->x[i] = centre[i] + offset * s->direction[i];
    if (s->options->range)
        lip_box_clip(s->options->range, &s->model->inputs[s->input]->shape, s->x);
    const double *inputs[1] = { s->x };
    s->left--;
    if (lip_run_forward(s->run, inputs, NULL) != LIP_OK)
        return false;
    const double *logits = lip_run_real(s->run, s->model->logits);
    if (logits)
        memcpy(y, logits, (size_t)s->k * sizeof *y);
    return logits != NULL;
}

/* g := J' e at the point of the last evaluation. */
static bool gradient(search *s, const double *e, double *g)
{
    s->left--;
    if (lip_run_gradient(s->run, e, s->input, g, NULL) != LIP_OK)
        return false;
    double length = cblas_dnrm2(s->n, g, 1);
    if (isfinite(length))
        s->best = isnan(s->best) ? length : fmax(s->best, length);
    return true;
}

/* The quotient at a centre, its gradients g0 and g1; NaN: failed. */
static double secant(search *s, const double *centre, double length)
{
    if (!evaluate(s, centre, length / 2, s->y1) || !evaluate(s, centre, -length / 2, s->y0))
        return (double)NAN;
    cblas_daxpy(s->k, -1, s->y0, 1, s->y1, 1);
    double change = cblas_dnrm2(s->k, s->y1, 1);
    if (!(change > 0) || !isfinite(change)) /* flat: any output will do */
        for (blasint i = 0; i < s->k; i++)
            s->y1[i] = 1;
    cblas_dscal(s->k, 1 / cblas_dnrm2(s->k, s->y1, 1), s->y1, 1);
    bool fine = gradient(s, s->y1, s->g0) && evaluate(s, centre, length / 2, s->y0) && gradient(s, s->y1, s->g1);
    return fine ? change / length : (double)NAN;
}

static void set_direction(search *s)
{
    memcpy(s->x, s->g0, (size_t)s->n * sizeof(double));
    cblas_daxpy(s->n, 1, s->g1, 1, s->x, 1);
    double length = cblas_dnrm2(s->n, s->x, 1);
    for (blasint i = 0; i < s->n && length > 0; i++)
        s->direction[i] = s->x[i] / length;
}

static bool ascend(search *s, double length, double *reach)
{
    double value = secant(s, s->centre, length);
    for (int step = 0; step < STEPS && isfinite(value) && s->left > 0; step++) {
        set_direction(s);
        cblas_daxpy(s->n, -1, s->g0, 1, s->g1, 1);
        double slope = cblas_dnrm2(s->n, s->g1, 1);
        memcpy(s->new_centre, s->centre, (size_t)s->n * sizeof(double));
        if (slope > 0)
            cblas_daxpy(s->n, *reach / slope, s->g1, 1, s->new_centre, 1);
        double found = secant(s, s->new_centre, length);
        if (found >= value) {
            memcpy(s->centre, s->new_centre, (size_t)s->n * sizeof(double));
            *reach *= 1.5;
            value = found;
        } else {
            *reach *= 0.5;
            value = secant(s, s->centre, length);
        }
    }
    return isfinite(value);
}

static void start(search *s, lip_random *random, int index)
{
    double spread = index % 3 == 0 ? 0.3 : index % 3 == 1 ? 1 : 4;
    double *low = s->g0, *high = s->g1;
    for (blasint i = 0; i < s->n; i++) {
        low[i] = -DBL_MAX;
        high[i] = DBL_MAX;
    }
    if (s->options->range) {
        lip_box_clip(s->options->range, &s->model->inputs[s->input]->shape, low);
        lip_box_clip(s->options->range, &s->model->inputs[s->input]->shape, high);
    }
    for (blasint i = 0; i < s->n; i++) {
        s->centre[i] = s->options->range ? low[i] + (high[i] - low[i]) * lip_random_uniform(random)
                                         : spread * lip_random_normal(random);
        s->direction[i] = lip_random_normal(random);
    }
    cblas_dscal(s->n, 1 / cblas_dnrm2(s->n, s->direction, 1), s->direction, 1);
}

static void from_sample(search *s, size_t index, lip_random *random)
{
    memcpy(s->centre, s->options->samples + index * (size_t)s->n, (size_t)s->n * sizeof(double));
    for (blasint i = 0; i < s->n; i++)
        s->direction[i] = lip_random_normal(random);
    cblas_dscal(s->n, 1 / cblas_dnrm2(s->n, s->direction, 1), s->direction, 1);
}

/* A tenth of the samples' root mean square norm, which makes lengths fit data in any units: about 1 for 28x28 images in
 * [0, 1]. */
static double unit_of(const search *s)
{
    double square = 0;
    for (size_t i = 0; i < s->options->sample_count; i++) {
        double norm = cblas_dnrm2(s->n, s->options->samples + i * (size_t)s->n, 1);
        square += norm * norm / (double)s->options->sample_count;
    }
    return square > 0 && isfinite(square) ? 0.1 * sqrt(square) : 1;
}

/* The norm of the Jacobian at a sample, by some steps of power iteration. */
static double steepness(search *s, size_t index, double unit, lip_random *random)
{
    const double length = LENGTHS[STAGES - 1] * unit;
    double value = 0;
    from_sample(s, index, random);
    for (int step = 0; step < POWER_STEPS && isfinite(value) && s->left > 0; step++) {
        value = secant(s, s->centre, length);
        set_direction(s);
    }
    return value;
}

/* From the steepest samples: what is near them is what the short secants see. */
static void search_samples(search *s)
{
    lip_random random = lip_random_seed(s->options->seed, 0x73616d70);
    size_t count = s->options->sample_count;
    lip_memory *memory = (lip_memory *)(uintptr_t)&s->model->memory;
    double *found = lip_alloc(memory, (int64_t)count, sizeof *found), unit = unit_of(s);
    s->left = s->options->evaluations;
    for (size_t i = 0; found && i < count && s->left > s->options->evaluations / 2; i++)
        found[i] = steepness(s, i, unit, &random);
    for (int start = 0; found && start < STARTS && (size_t)start < count && s->left > 0; start++) {
        size_t best = 0;
        double reach = 0;
        for (size_t i = 1; i < count; i++)
            best = found[i] > found[best] ? i : best;
        from_sample(s, best, &random);
        found[best] = -1;
        bool fine = true;
        for (size_t stage = FIRST_NEAR; fine && stage < STAGES; stage++) {
            reach = fmax(reach, unit * LENGTHS[stage] / 8);
            fine = ascend(s, unit * LENGTHS[stage], &reach);
        }
    }
    lip_free(memory, found);
}

static void search_all(search *s)
{
    lip_random random = lip_random_seed(s->options->seed, 0x736c6f70);
    for (int i = 0; i < STARTS && s->left > 0; i++) {
        double reach = 1;
        start(s, &random, i);
        for (size_t stage = 0; stage < STAGES; stage++) {
            reach = fmax(reach, LENGTHS[stage] / 8);
            if (!ascend(s, LENGTHS[stage], &reach))
                return;
        }
    }
}

static bool choose_input(search *s)
{
    int64_t n, k;
    if (s->model->input_count != 1 || !s->model->inputs[0]->varies || !s->model->inputs[0]->shape_known ||
        !lip_shape_count(&s->model->inputs[0]->shape, &n) || !s->model->logits->shape_known ||
        !lip_shape_count(&s->model->logits->shape, &k) || n < 1 || k < 1 || n > INT32_MAX || k > INT32_MAX)
        return false;
    s->n = (blasint)n;
    s->k = (blasint)k;
    return true;
}

double lip_slope_search(const lip_model *model, const lip_slope_options *options)
{
    search s = { .model = model, .options = options, .left = options->evaluations, .best = (double)NAN };
    lip_memory *memory = (lip_memory *)(uintptr_t)&model->memory; /* an account, not part of the model's meaning */
    if (!choose_input(&s) || lip_run_open(model, &s.run, NULL) != LIP_OK)
        return (double)NAN;
    int64_t n = s.n, k = s.k;
    double *room = lip_alloc(memory, 6 * n + 2 * k, sizeof(double));
    if (room) {
        s.centre = room;
        s.direction = room + n;
        s.new_centre = room + 2 * n;
        s.x = room + 3 * n;
        s.g0 = room + 4 * n;
        s.g1 = room + 5 * n;
        s.y0 = room + 6 * n;
        s.y1 = room + 6 * n + k;
        search_all(&s);
        search_samples(&s);
    }
    lip_free(memory, room);
    lip_run_free(&s.run);
    return s.best;
}
