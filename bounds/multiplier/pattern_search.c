/*
 * pattern_search.c: see pattern_search.h.
 *
 * With slopes s_i in [0, width_i] of the variables g = s dz (system.h), the
 * Jacobian is J(s) v: val = v on inputs, val_i = s_i Z_i val, J v = Y val. Smoothed,
 * s_i = width_i q(z_i / (eps scale)), q the logistic function and scale the root mean
 * square of the layer's z. For unit u, v (the leading singular vectors),
 *     d(u'J v) / dz_i = adj_i (Z_i val) width_i q' / (eps scale),
 * adj the adjoint of u; these seeds at the z_i are taken to x by one more
 * adjoint pass, with the true slopes at x. eps shrinks from stage to stage, and the
 * norm of the true Jacobian at every accepted point counts.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "pattern_search.h"

#include "linear/random.h"
#include "run.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

static const double SMOOTHING[] = { 1, 0.5, 0.25, 0.12, 0.06, 0.03 };
enum { STAGES = 6, STARTS = 4, POWER_STEPS = 3 };

typedef struct pattern {
    const lip_model *model;
    const lip_system *system;
    const lip_layer_plan *plans;
    const lip_input_range *range;
    lip_run *run;
    int64_t n, inputs, k;
    double *x, *gradient, *direction, *momentum; /* inputs */
    double *z, *soft, *hard, *rate; /* variables; rate: d soft / dz */
    double *value, *adjoint, *seed, *u, *v;
    double best;
} pattern;

/* val_i = slope_i Z_i val above the inputs; with dz_i = Z_i val in `dz` where it is not NULL. */
static void forward(const pattern *p, const double *slope, double *value, double *dz)
{
    const lip_rows *z = &p->system->z.m;
    for (int64_t i = p->inputs; i < p->n; i++) {
        double sum = 0;
        for (int64_t e = z->start[i]; e < z->start[i + 1]; e++)
            sum += z->value[e] * value[z->col[e]];
        if (dz)
            dz[i] = sum;
        value[i] = slope[i] * sum;
    }
}

/* adj_i is complete when all variables after i have been passed; `seed` (may be NULL) is what enters at z_i. */
static void backward(const pattern *p, const double *slope, const double *seed, double *adjoint)
{
    const lip_rows *z = &p->system->z.m;
    for (int64_t i = p->n - 1; i >= p->inputs; i--) {
        double at = adjoint[i] * slope[i] + (seed ? seed[i] : 0);
        for (int64_t e = z->start[i]; e < z->start[i + 1] && at != 0; e++)
            adjoint[z->col[e]] += z->value[e] * at;
    }
}

static void outputs(const pattern *p, const double *value, double *y)
{
    const lip_rows *m = &p->system->y.m;
    for (int64_t k = 0; k < p->k; k++) {
        y[k] = 0;
        for (int64_t e = m->start[k]; e < m->start[k + 1]; e++)
            y[k] += m->value[e] * value[m->col[e]];
    }
}

static void from_outputs(const pattern *p, const double *y, double *adjoint)
{
    const lip_rows *m = &p->system->y.m;
    memset(adjoint, 0, (size_t)p->n * sizeof *adjoint);
    for (int64_t k = 0; k < p->k; k++)
        for (int64_t e = m->start[k]; e < m->start[k + 1]; e++)
            adjoint[m->col[e]] += m->value[e] * y[k];
}

static double normalise(double *x, int64_t n)
{
    double norm = cblas_dnrm2((blasint)n, x, 1);
    if (norm > 0)
        cblas_dscal((blasint)n, 1 / norm, x, 1);
    return norm;
}

/* ||J(slope)|| by power iteration from v; u, v its vectors, adjoint of the last u, val and dz of the last v. */
static double norm_of(pattern *p, const double *slope, int steps, double *dz)
{
    double norm = 0;
    for (int step = 0; step < steps; step++) {
        memcpy(p->value, p->v, (size_t)p->inputs * sizeof(double));
        forward(p, slope, p->value, dz);
        outputs(p, p->value, p->u);
        normalise(p->u, p->k);
        from_outputs(p, p->u, p->adjoint);
        backward(p, slope, NULL, p->adjoint);
        memcpy(p->v, p->adjoint, (size_t)p->inputs * sizeof(double));
        norm = normalise(p->v, p->inputs);
    }
    return norm;
}

/* z at x by the network itself, and slopes; false: cannot. */
static bool look(pattern *p, const double *x, double eps)
{
    const double *inputs[1] = { x };
    if (lip_run_forward(p->run, inputs, NULL) != LIP_OK)
        return false;
    for (int64_t i = p->inputs; i < p->n;) {
        const lip_node *node = p->plans[p->system->variable[i].plan].node;
        const double *z = lip_run_real(p->run, node->inputs[lip_node_varying(node)]);
        int64_t end = i;
        double square = 1e-300;
        while (end < p->n && p->system->variable[end].plan == p->system->variable[i].plan)
            end++;
        for (int64_t j = i; j < end && z; j++)
            square += z[j - i] * z[j - i] / (double)(end - i);
        for (int64_t j = i; j < end && z; j++) {
            double width = p->system->variable[j].constant, sharp = 1 / (eps * sqrt(square));
            double q = 1 / (1 + exp(-fmin(fmax(z[j - i] * sharp, -40), 40)));
            p->hard[j] = z[j - i] > 0 ? width : 0;
            p->soft[j] = width * q;
            p->rate[j] = width * q * (1 - q) * sharp;
        }
        if (!z)
            return false;
        i = end;
    }
    return true;
}

/* Smoothed norm at x, its gradient into p->gradient. NaN: failed. */
static double smoothed(pattern *p, const double *x, double eps)
{
    if (!look(p, x, eps))
        return (double)NAN;
    double value = norm_of(p, p->soft, POWER_STEPS, p->z);
    for (int64_t i = p->inputs; i < p->n; i++)
        p->seed[i] = p->adjoint[i] * p->z[i] * p->rate[i];
    memset(p->adjoint, 0, (size_t)p->n * sizeof(double));
    backward(p, p->hard, p->seed, p->adjoint);
    memcpy(p->gradient, p->adjoint, (size_t)p->inputs * sizeof(double));
    return value;
}

/* The norm of the true Jacobian at the point last looked at. */
static void count_true(pattern *p)
{
    memcpy(p->direction, p->v, (size_t)p->inputs * sizeof(double));
    double norm = norm_of(p, p->hard, 2 * POWER_STEPS, NULL);
    memcpy(p->v, p->direction, (size_t)p->inputs * sizeof(double));
    if (isfinite(norm))
        p->best = isnan(p->best) ? norm : fmax(p->best, norm);
}

static void into_range(const pattern *p, double *x)
{
    const lip_input_range *range = p->range;
    const lip_shape *shape = &p->model->inputs[0]->shape;
    int axis = range && shape->rank > 1 && shape->dim[1] == (int64_t)range->count ? 1 : shape->rank - 1;
    int64_t inner = 1;
    for (int d = axis + 1; d < shape->rank; d++)
        inner *= shape->dim[d];
    for (int64_t i = 0; range && i < p->inputs; i++) {
        size_t at = range->count == 1 ? 0 : (size_t)(i / inner) % range->count;
        x[i] = fmin(fmax(x[i], range->lo[at]), range->hi[at]);
    }
}

/* Gradient ascent with momentum [Nesterov] and a step that is a share of |x|. */
static bool stage(pattern *p, double eps, int steps)
{
    double value = 0, step = 0.3;
    memset(p->momentum, 0, (size_t)p->inputs * sizeof(double));
    for (int i = 0; i < steps; i++) {
        double found = smoothed(p, p->x, eps);
        if (!isfinite(found))
            return false;
        count_true(p);
        if (found < value) {
            step *= 0.6;
            memset(p->momentum, 0, (size_t)p->inputs * sizeof(double));
        }
        value = found;
        double slope = cblas_dnrm2((blasint)p->inputs, p->gradient, 1);
        double size = cblas_dnrm2((blasint)p->inputs, p->x, 1);
        for (int64_t j = 0; j < p->inputs && slope > 0; j++) {
            p->momentum[j] = 0.7 * p->momentum[j] + step * (size + 1e-3) / slope * p->gradient[j];
            p->x[j] += 0.3 * p->momentum[j];
        }
        into_range(p, p->x);
    }
    return true;
}

static bool fits(const lip_model *model, const lip_system *system, const lip_layer_plan *plans)
{
    if (model->input_count != 1 || !model->inputs[0]->varies)
        return false;
    for (int64_t i = system->inputs; i < system->variables; i++) {
        const lip_node *node = plans[system->variable[i].plan].node;
        if (system->variable[i].kind != LIP_VAR_SLOPE ||
            (strcmp(node->op_type, "Relu") != 0 && strcmp(node->op_type, "LeakyRelu") != 0))
            return false;
    }
    return system->variables > system->inputs;
}

static bool allocate(pattern *p, double **room)
{
    int64_t n = p->n, m = p->inputs;
    double *next = *room = lip_alloc((lip_memory *)(uintptr_t)&p->model->memory, 5 * m + 7 * n + p->k, sizeof(double));
    double **parts[] = { &p->x, &p->gradient, &p->direction, &p->momentum, &p->v };
    double **wide[] = { &p->z, &p->soft, &p->hard, &p->rate, &p->value, &p->adjoint, &p->seed };
    for (size_t i = 0; next && i < sizeof parts / sizeof *parts; i++, next += m)
        *parts[i] = next;
    for (size_t i = 0; next && i < sizeof wide / sizeof *wide; i++, next += n)
        *wide[i] = next;
    p->u = next;
    return next != NULL;
}

/* A random point; or one along the leading singular vector of the network with all slopes halved, in either direction. */
static void choose_start(pattern *p, int start, lip_random *random)
{
    for (int64_t i = 0; i < p->inputs; i++)
        p->v[i] = lip_random_normal(random);
    normalise(p->v, p->inputs);
    for (int64_t i = p->inputs; i < p->n; i++)
        p->soft[i] = 0.5 * p->system->variable[i].constant;
    norm_of(p, p->soft, 4 * POWER_STEPS, NULL);
    double size = sqrt((double)p->inputs), along = start == 1 ? 2 * size : start == 2 ? -2 * size : 0;
    for (int64_t i = 0; i < p->inputs; i++)
        p->x[i] = along * p->v[i] + (start == 0 ? 4 : start == 3 ? 1 : 0.3) * lip_random_normal(random);
    into_range(p, p->x);
}

double lip_pattern_search(const lip_model *model, const lip_system *system, const lip_layer_plan *plans,
                          const lip_input_range *range, int steps, uint64_t seed)
{
    pattern p = { .model = model, .system = system, .plans = plans, .range = range, .n = system->variables,
                  .inputs = system->inputs, .k = system->classes, .best = (double)NAN };
    double *room = NULL;
    lip_random random = lip_random_seed(seed, 0x70617474);
    if (!fits(model, system, plans) || lip_run_open(model, &p.run, NULL) != LIP_OK)
        return (double)NAN;
    bool fine = allocate(&p, &room);
    for (int start = 0; fine && start < STARTS; start++) {
        choose_start(&p, start, &random);
        for (int s = 0; fine && s < STAGES; s++)
            fine = stage(&p, SMOOTHING[s], steps / (STAGES * STARTS));
    }
    lip_free((lip_memory *)(uintptr_t)&model->memory, room);
    lip_run_free(&p.run);
    return p.best;
}
