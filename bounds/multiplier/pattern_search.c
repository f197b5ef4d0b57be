/*
 * pattern_search.c: see pattern_search.h.
 *
 * With slopes s_i in [0, width_i] of the variables g = s dz (system.h), the
 * Jacobian is J(s): v = dx on inputs, dz_i = Z_i v, v_i = s_i dz_i, dy = Y v. At a
 * point x, s_i = width_i [z_i > 0]; smoothed, s_i = width_i q_i with
 * q_i = 1 / (1 + exp(-z_i / w)), w = eps times the root mean square of the layer's z.
 * For the leading singular vectors u, v,
 *     c_i = d(u'J v) / dq_i = width_i adj_i dz_i,   adj the adjoint of u,
 * and d(u'J v) / dz_i = c_i q_i (1 - q_i) / w. That vanishes for neurons far from their
 * kink, however much is to be had on its other side. The logistic loss of the pattern that
 * c asks for, sum |c_i| log(1 + exp(-sign(c_i) z_i / w)), does not: it pulls z_i with
 * c_i (c_i > 0 ? 1 - q_i : q_i) / w, much where the sign is wrong, nothing where it is right.
 * The search climbs along the former plus `pull` times the latter, both from their own
 * starts for each of several points that move side by side (LANES, in float): patterns that
 * are far from each other come from a strong pull, fine steps at the end from a weak one, and
 * networks differ in how much smoothing hides the good ones. One more adjoint pass, with the true
 * slopes at x, takes these seeds at the z_i to x. Steps of each input are in units of the
 * root mean square of its derivative [Kingma, Ba 2015].
 *
 * What is returned, |J'u| at the points found, rests on none of it: it comes from the network's adjoint.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "pattern_search.h"

#include "lanes.h"
#include "linear/random.h"
#include "run.h"

#include <cblas.h>
#include <float.h>
#include <math.h>
#include <string.h>

enum { LANES = LIP_LANES, MOST_STEPS = 1200, LOOK_EVERY = 50, LOOK_STEPS = 4, LAST_STEPS = 24 };
static const double FIRST_EPS[] = { 0.2, 0.05 }, FIRST_PULL[] = { 0.1, 3 }; /* of the first lane and the last */
static const double LAST_EPS = 0.005, LAST_PULL = 0.01;                     /* the latter: of the lane's first */
static const double REACH[] = { 0.03, 0.0002 };                             /* steps, of |x| or the range */
static const float WIDE = 1e6f; /* ranges: as good as none to start in, and float has to hold what comes of it */

typedef struct pattern {
    const lip_model *model;
    const lip_system *system;
    const lip_layer_plan *plans;
    const lip_input_range *range;
    lip_run *run;
    int64_t n, inputs, k;
    lip_lanes *x, *gradient, *momentum, *spread, *v, *best_x; /* inputs */
    lip_lanes *z, *dz, *slope, *value, *adjoint;              /* variables */
    lip_lanes *u, *best_u;                                    /* outputs */
    float *constant;                                          /* of each z: what biases add */
    double *point, *output;
    float span; /* of the range: no step is longer */
    lip_lanes best, eps, pull;
} pattern;

/* z at x. */
static void look(pattern *p)
{
    lip_lanes_copy(p->value, p->x, p->inputs);
    for (int64_t i = p->inputs; i < p->n; i++) {
        float width = (float)p->system->variable[i].constant;
        lip_lanes sum;
        for (int l = 0; l < LANES; l++)
            sum.of[l] = p->constant[i];
        sum = lip_lanes_row_times(&p->system->z.m, i, p->value, sum);
        for (int l = 0; l < LANES; l++) {
            p->z[i].of[l] = sum.of[l];
            p->value[i].of[l] = sum.of[l] > 0 ? width * sum.of[l] : 0;
        }
    }
}

static void hard_slopes(pattern *p)
{
    for (int64_t i = p->inputs; i < p->n; i++)
        for (int l = 0; l < LANES; l++)
            p->slope[i].of[l] = p->z[i].of[l] > 0 ? (float)p->system->variable[i].constant : 0;
}

/* 1 / w, of the layer of variables first .. end. */
static lip_lanes sharpness(const pattern *p, int64_t first, int64_t end)
{
    lip_lanes out = lip_lanes_squares(p->z + first, end - first);
    for (int l = 0; l < LANES; l++)
        out.of[l] = 1 / (p->eps.of[l] * sqrtf(out.of[l] / (float)(end - first) + 1e-30f));
    return out;
}

static int64_t layer_end(const pattern *p, int64_t first)
{
    int64_t end = first;
    while (end < p->n && p->system->variable[end].plan == p->system->variable[first].plan)
        end++;
    return end;
}

static float logistic(float t) { return 1 / (1 + expf(-fminf(fmaxf(t, -40), 40))); }

static void soft_slopes(pattern *p)
{
    for (int64_t first = p->inputs, end; first < p->n; first = end) {
        end = layer_end(p, first);
        lip_lanes sharp = sharpness(p, first, end);
        for (int64_t i = first; i < end; i++)
            for (int l = 0; l < LANES; l++)
                p->slope[i].of[l] = (float)p->system->variable[i].constant * logistic(p->z[i].of[l] * sharp.of[l]);
    }
}

/* adj from adj of what reads it, `dz` (or nothing) entering at the z_i. */
static void backward(pattern *p, bool seeded)
{
    for (int64_t i = p->n - 1; i >= p->inputs; i--) {
        lip_lanes at;
        for (int l = 0; l < LANES; l++)
            at.of[l] = p->adjoint[i].of[l] * p->slope[i].of[l] + (seeded ? p->dz[i].of[l] : 0);
        lip_lanes_add_row(&p->system->z.m, i, &at, p->adjoint);
    }
}

/* Power iteration with `slope` from v; u and v its vectors, dz of the v before, adjoint of u. */
static lip_lanes power(pattern *p, int steps)
{
    lip_lanes norm = { { 0 } };
    while (steps-- > 0) {
        lip_lanes_copy(p->value, p->v, p->inputs);
        for (int64_t i = p->inputs; i < p->n; i++) {
            lip_lanes sum = lip_lanes_row_times(&p->system->z.m, i, p->value, (lip_lanes) { { 0 } });
            for (int l = 0; l < LANES; l++) {
                p->dz[i].of[l] = sum.of[l];
                p->value[i].of[l] = p->slope[i].of[l] * sum.of[l];
            }
        }
        for (int64_t k = 0; k < p->k; k++)
            p->u[k] = lip_lanes_row_times(&p->system->y.m, k, p->value, (lip_lanes) { { 0 } });
        lip_lanes_normalise(p->u, p->k);
        memset(p->adjoint, 0, (size_t)p->n * sizeof *p->adjoint);
        for (int64_t k = 0; k < p->k; k++)
            lip_lanes_add_row(&p->system->y.m, k, &p->u[k], p->adjoint);
        backward(p, false);
        lip_lanes_copy(p->v, p->adjoint, p->inputs);
        norm = lip_lanes_normalise(p->v, p->inputs);
    }
    return norm;
}

/* dz becomes what pulls at the z_i. */
static void seeds(pattern *p)
{
    for (int64_t first = p->inputs, end; first < p->n; first = end) {
        end = layer_end(p, first);
        lip_lanes sharp = sharpness(p, first, end);
        for (int64_t i = first; i < end; i++)
            for (int l = 0; l < LANES; l++) {
                float width = (float)p->system->variable[i].constant, c = p->adjoint[i].of[l] * p->dz[i].of[l] * width;
                float q = logistic(p->z[i].of[l] * sharp.of[l]), missing = c > 0 ? 1 - q : q;
                p->dz[i].of[l] = c * sharp.of[l] * (q * (1 - q) + p->pull.of[l] * missing);
            }
    }
}

/* Where input i may lie, in float; false: anywhere. */
static bool range_of(const pattern *p, int64_t i, float *low, float *high)
{
    const lip_input_range *range = p->range;
    const lip_shape *shape = &p->model->inputs[0]->shape;
    int axis = range && shape->rank > 1 && shape->dim[1] == (int64_t)range->count ? 1 : shape->rank - 1;
    int64_t inner = 1;
    if (!range)
        return false;
    for (int d = axis + 1; d < shape->rank; d++)
        inner *= shape->dim[d];
    size_t at = range->count == 1 ? 0 : (size_t)(i / inner) % range->count;
    *low = (float)range->lo[at];
    *high = (float)range->hi[at];
    *low = (double)*low < range->lo[at] ? nextafterf(*low, INFINITY) : *low;
    *high = (double)*high > range->hi[at] ? nextafterf(*high, -INFINITY) : *high;
    return true;
}

static void move(pattern *p, double reach)
{
    lip_lanes_normalise(p->gradient, p->inputs);
    for (int64_t i = 0; i < p->inputs; i++)
        for (int l = 0; l < LANES; l++) {
            float g = p->gradient[i].of[l];
            p->momentum[i].of[l] = 0.9f * p->momentum[i].of[l] + 0.1f * g;
            p->spread[i].of[l] = 0.99f * p->spread[i].of[l] + 0.01f * g * g;
            p->gradient[i].of[l] = p->momentum[i].of[l] / (sqrtf(p->spread[i].of[l]) + 1e-8f);
        }
    lip_lanes length = lip_lanes_squares(p->gradient, p->inputs), size = lip_lanes_squares(p->x, p->inputs);
    for (int l = 0; l < LANES; l++)
        size.of[l] = length.of[l] > 0 ? fminf(sqrtf(size.of[l]) + 1e-3f, p->span) / sqrtf(length.of[l]) : 0;
    for (int64_t i = 0; i < p->inputs; i++) {
        float low = -FLT_MAX, high = FLT_MAX;
        range_of(p, i, &low, &high);
        for (int l = 0; l < LANES; l++)
            p->x[i].of[l] = fminf(fmaxf(p->x[i].of[l] + (float)reach * size.of[l] * p->gradient[i].of[l], low), high);
    }
}

static void climb(pattern *p, double reach)
{
    look(p);
    soft_slopes(p);
    power(p, 1);
    seeds(p);
    hard_slopes(p);
    memset(p->adjoint, 0, (size_t)p->n * sizeof *p->adjoint);
    backward(p, true);
    lip_lanes_copy(p->gradient, p->adjoint, p->inputs);
    move(p, reach);
}

/* Keeps the points whose true Jacobians are the largest so far. */
static void keep_best(pattern *p, int steps)
{
    look(p);
    hard_slopes(p);
    lip_lanes_copy(p->gradient, p->v, p->inputs);
    lip_lanes norm = power(p, steps);
    lip_lanes_copy(p->v, p->gradient, p->inputs);
    for (int l = 0; l < LANES; l++)
        if (norm.of[l] > p->best.of[l]) {
            p->best.of[l] = norm.of[l];
            cblas_scopy((blasint)p->inputs, &p->x->of[l], LANES, &p->best_x->of[l], LANES);
            cblas_scopy((blasint)p->k, &p->u->of[l], LANES, &p->best_u->of[l], LANES);
        }
}

/* |J'u| of the network itself at a lane's best point; NaN: cannot. */
static double judge(pattern *p, int lane)
{
    const double *inputs[1] = { p->point };
    for (int64_t i = 0; i < p->inputs; i++)
        p->point[i] = (double)p->best_x[i].of[lane];
    for (int64_t i = 0; i < p->k; i++)
        p->output[i] = (double)p->best_u[i].of[lane];
    if (lip_run_forward(p->run, inputs, NULL) != LIP_OK ||
        lip_run_gradient(p->run, p->output, 0, p->point, NULL) != LIP_OK)
        return (double)NAN;
    double length = cblas_dnrm2((blasint)p->inputs, p->point, 1) / cblas_dnrm2((blasint)p->k, p->output, 1);
    return isfinite(length) ? length : (double)NAN;
}

/* What the biases make of each z, from the network's own values at the first lane's point. */
static bool read_constants(pattern *p)
{
    const double *inputs[1] = { p->point };
    for (int64_t i = 0; i < p->inputs; i++)
        p->point[i] = (double)p->x[i].of[0];
    if (lip_run_forward(p->run, inputs, NULL) != LIP_OK)
        return false;
    memset(p->constant, 0, (size_t)p->n * sizeof *p->constant);
    lip_lanes_copy(p->value, p->x, p->inputs);
    for (int64_t first = p->inputs, end; first < p->n; first = end) {
        const lip_node *node = p->plans[p->system->variable[first].plan].node;
        const double *z = lip_run_real(p->run, node->inputs[lip_node_varying(node)]);
        end = layer_end(p, first);
        for (int64_t i = first; i < end && z; i++) {
            lip_lanes sum = lip_lanes_row_times(&p->system->z.m, i, p->value, (lip_lanes) { { 0 } });
            double at = z[p->system->variable[i].element];
            p->constant[i] = (float)(at - (double)sum.of[0]);
            p->value[i].of[0] = (float)(p->system->variable[i].constant * fmax(at, 0));
        }
        if (!z)
            return false;
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
            (strcmp(node->op_type, "Relu") != 0 && strcmp(node->op_type, "LeakyRelu") != 0) ||
            plans[system->variable[i].plan].gain.slopes.b != 1) /* the larger slope is that of z > 0 */
            return false;
    }
    return system->variables > system->inputs;
}

static bool allocate(pattern *p, lip_memory *memory, void **room)
{
    lip_lanes **narrow[] = { &p->x, &p->gradient, &p->momentum, &p->spread, &p->v, &p->best_x };
    lip_lanes **wide[] = { &p->z, &p->dz, &p->slope, &p->value, &p->adjoint };
    int64_t n = p->n, m = p->inputs, reals = m + p->k;
    int64_t bytes = (6 * m + 5 * n + 2 * p->k) * (int64_t)sizeof(lip_lanes) + n * (int64_t)sizeof(float);
    double *reached = *room = lip_alloc(memory, reals + bytes / (int64_t)sizeof(double) + 1, sizeof(double));
    if (!reached)
        return false;
    p->point = reached;
    p->output = reached + m;
    lip_lanes *next = (lip_lanes *)(reached + reals);
    for (size_t i = 0; i < sizeof narrow / sizeof *narrow; i++, next += m)
        *narrow[i] = next;
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++, next += n)
        *wide[i] = next;
    p->u = next;
    p->best_u = next + p->k;
    p->constant = (float *)(next + 2 * p->k);
    return true;
}

static void choose_starts(pattern *p, lip_random *random)
{
    double square = 0;
    for (int64_t i = 0; i < p->inputs; i++) {
        float low = -FLT_MAX, high = FLT_MAX;
        bool narrow = range_of(p, i, &low, &high) && high - low < WIDE;
        square += ((double)high - (double)low) * ((double)high - (double)low);
        for (int l = 0; l < LANES; l++) {
            p->x[i].of[l] = narrow ? low + (high - low) * (float)lip_random_uniform(random)
                                   : fminf(fmaxf((float)lip_random_normal(random), low), high);
            p->v[i].of[l] = (float)lip_random_normal(random);
            p->momentum[i].of[l] = p->spread[i].of[l] = 0;
        }
    }
    p->span = (float)fmin(sqrt(square), (double)FLT_MAX);
    lip_lanes_normalise(p->v, p->inputs);
}

static double between(double first, double last, double share) { return first * pow(last / first, share); }

static void anneal(pattern *p, double share)
{
    for (int l = 0; l < LANES; l++) {
        double lane = (double)l / (LANES - 1);
        p->eps.of[l] = (float)between(between(FIRST_EPS[0], FIRST_EPS[1], lane), LAST_EPS, share);
        p->pull.of[l] = (float)(between(FIRST_PULL[0], FIRST_PULL[1], lane) * pow(LAST_PULL, share));
    }
}

static void search(pattern *p, int steps)
{
    for (int step = 0; step < steps; step++) {
        double share = (double)step / steps;
        anneal(p, share);
        climb(p, between(REACH[0], REACH[1], share));
        if (step % LOOK_EVERY == LOOK_EVERY - 1)
            keep_best(p, LOOK_STEPS);
    }
    keep_best(p, LAST_STEPS);
    lip_lanes_copy(p->x, p->best_x, p->inputs);
    keep_best(p, LAST_STEPS); /* for vectors that fit */
}

double lip_pattern_search(const lip_model *model, const lip_system *system, const lip_layer_plan *plans,
                          const lip_input_range *range, double flops, uint64_t seed)
{
    pattern p = { .model = model, .system = system, .plans = plans, .range = range, .n = system->variables,
                  .inputs = system->inputs, .k = system->classes };
    lip_memory *memory = (lip_memory *)(uintptr_t)&model->memory; /* an account, not part of the model's meaning */
    lip_random random = lip_random_seed(seed, 0x70617474);
    double best = (double)NAN;
    void *room = NULL;
    if (!fits(model, system, plans) || lip_run_open(model, &p.run, NULL) != LIP_OK)
        return best;
    double pass = 2.0 * LANES * (double)(system->z.m.start[p.n] + system->y.m.start[p.k] + p.n);
    if (allocate(&p, memory, &room)) {
        choose_starts(&p, &random);
        if (read_constants(&p)) {
            search(&p, (int)fmin(fmax(flops / (4 * pass), LOOK_EVERY), MOST_STEPS));
            for (int l = 0; l < LANES; l++)
                best = p.best.of[l] > 0 ? fmax(best, judge(&p, l)) : best;
        }
    }
    lip_free(memory, room);
    lip_run_free(&p.run);
    return best;
}
