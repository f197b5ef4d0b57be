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
 * The search climbs along a mixture of both, in a share of its own for each of several points that
 * move side by side (LANES, in float); eps and the steps shrink. One more adjoint pass, with the
 * true slopes at x, takes these seeds at the z_i to x.
 *
 * What is returned, |J'u| at the points found, rests on none of it: it comes from the network's adjoint.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "pattern_search.h"

#include "linear/random.h"
#include "run.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

enum { LANES = 8, MOST_STEPS = 800, LOOK_EVERY = 50, LOOK_STEPS = 4, LAST_STEPS = 24 };
static const float SHARES[LANES] = { 0, 0.01f, 0.02f, 0.05f, 0.1f, 0.1f, 0.2f, 0.3f };
/* First and last of the search, and of another half of its steps from where it ended. */
static const double SMOOTHING[][2] = { { 1, 0.015 }, { 0.05, 0.005 } };
static const double REACH[][2] = { { 0.03, 0.003 }, { 0.002, 0.0002 } };

typedef struct lanes {
    float of[LANES];
} lanes;

typedef struct pattern {
    const lip_model *model;
    const lip_system *system;
    const lip_layer_plan *plans;
    const lip_input_range *range;
    lip_run *run;
    int64_t n, inputs, k;
    lanes *x, *gradient, *momentum, *v, *best_x; /* inputs */
    lanes *z, *dz, *slope, *value, *adjoint;     /* variables */
    lanes *u, *best_u;                           /* outputs */
    float *constant;                             /* of each z: what biases add */
    double *point, *output;
    lanes best;
} pattern;

/* sum + row i of m times value. */
static inline lanes row_times(const lip_rows *m, int64_t i, const lanes *value, lanes sum)
{
    for (int64_t e = m->start[i]; e < m->start[i + 1]; e++) {
        float a = (float)m->value[e];
        const float *x = value[m->col[e]].of;
        for (int l = 0; l < LANES; l++)
            sum.of[l] += a * x[l];
    }
    return sum;
}

static inline void add_row(const lip_rows *m, int64_t i, const lanes *at, lanes *adjoint)
{
    for (int64_t e = m->start[i]; e < m->start[i + 1]; e++) {
        float a = (float)m->value[e], *to = adjoint[m->col[e]].of;
        for (int l = 0; l < LANES; l++)
            to[l] += a * at->of[l];
    }
}

static void copy(lanes *to, const lanes *from, int64_t n) { memcpy(to, from, (size_t)n * sizeof *to); }

static lanes squares(const lanes *x, int64_t n)
{
    lanes sum = { { 0 } };
    for (int64_t i = 0; i < n; i++)
        for (int l = 0; l < LANES; l++)
            sum.of[l] += x[i].of[l] * x[i].of[l];
    return sum;
}

/* Lengths of the lanes' vectors, which become 1; 0 stays 0. */
static lanes normalise(lanes *x, int64_t n)
{
    lanes factor, length = squares(x, n);
    for (int l = 0; l < LANES; l++) {
        length.of[l] = sqrtf(length.of[l]);
        factor.of[l] = length.of[l] > 0 ? 1 / length.of[l] : 0;
    }
    for (int64_t i = 0; i < n; i++)
        for (int l = 0; l < LANES; l++)
            x[i].of[l] *= factor.of[l];
    return length;
}

/* z at x. */
static void look(pattern *p)
{
    copy(p->value, p->x, p->inputs);
    for (int64_t i = p->inputs; i < p->n; i++) {
        float width = (float)p->system->variable[i].constant;
        lanes sum;
        for (int l = 0; l < LANES; l++)
            sum.of[l] = p->constant[i];
        sum = row_times(&p->system->z.m, i, p->value, sum);
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
static lanes sharpness(const pattern *p, int64_t first, int64_t end, double eps)
{
    lanes out = squares(p->z + first, end - first);
    for (int l = 0; l < LANES; l++)
        out.of[l] = 1 / ((float)eps * sqrtf(out.of[l] / (float)(end - first) + 1e-30f));
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

static void soft_slopes(pattern *p, double eps)
{
    for (int64_t first = p->inputs, end; first < p->n; first = end) {
        end = layer_end(p, first);
        lanes sharp = sharpness(p, first, end, eps);
        for (int64_t i = first; i < end; i++)
            for (int l = 0; l < LANES; l++)
                p->slope[i].of[l] = (float)p->system->variable[i].constant * logistic(p->z[i].of[l] * sharp.of[l]);
    }
}

/* adj from adj of what reads it, `dz` (or nothing) entering at the z_i. */
static void backward(pattern *p, bool seeded)
{
    for (int64_t i = p->n - 1; i >= p->inputs; i--) {
        lanes at;
        for (int l = 0; l < LANES; l++)
            at.of[l] = p->adjoint[i].of[l] * p->slope[i].of[l] + (seeded ? p->dz[i].of[l] : 0);
        add_row(&p->system->z.m, i, &at, p->adjoint);
    }
}

/* Power iteration with `slope` from v; u and v its vectors, dz of the v before, adjoint of u. */
static lanes power(pattern *p, int steps)
{
    lanes norm = { { 0 } };
    while (steps-- > 0) {
        copy(p->value, p->v, p->inputs);
        for (int64_t i = p->inputs; i < p->n; i++) {
            lanes sum = row_times(&p->system->z.m, i, p->value, (lanes) { { 0 } });
            for (int l = 0; l < LANES; l++) {
                p->dz[i].of[l] = sum.of[l];
                p->value[i].of[l] = p->slope[i].of[l] * sum.of[l];
            }
        }
        for (int64_t k = 0; k < p->k; k++)
            p->u[k] = row_times(&p->system->y.m, k, p->value, (lanes) { { 0 } });
        normalise(p->u, p->k);
        memset(p->adjoint, 0, (size_t)p->n * sizeof *p->adjoint);
        for (int64_t k = 0; k < p->k; k++)
            add_row(&p->system->y.m, k, &p->u[k], p->adjoint);
        backward(p, false);
        copy(p->v, p->adjoint, p->inputs);
        norm = normalise(p->v, p->inputs);
    }
    return norm;
}

/* dz becomes what pulls at the z_i. */
static void seeds(pattern *p, double eps)
{
    for (int64_t first = p->inputs, end; first < p->n; first = end) {
        end = layer_end(p, first);
        lanes sharp = sharpness(p, first, end, eps);
        for (int64_t i = first; i < end; i++)
            for (int l = 0; l < LANES; l++) {
                float width = (float)p->system->variable[i].constant, c = p->adjoint[i].of[l] * p->dz[i].of[l] * width;
                float q = logistic(p->z[i].of[l] * sharp.of[l]), share = SHARES[l];
                p->dz[i].of[l] = c * sharp.of[l] * ((1 - share) * q * (1 - q) + share * (c > 0 ? 1 - q : q));
            }
    }
}

static void into_range(const pattern *p, lanes *x)
{
    const lip_input_range *range = p->range;
    const lip_shape *shape = &p->model->inputs[0]->shape;
    int axis = range && shape->rank > 1 && shape->dim[1] == (int64_t)range->count ? 1 : shape->rank - 1;
    int64_t inner = 1;
    for (int d = axis + 1; d < shape->rank; d++)
        inner *= shape->dim[d];
    for (int64_t i = 0; range && i < p->inputs; i++) {
        size_t at = range->count == 1 ? 0 : (size_t)(i / inner) % range->count;
        float low = (float)range->lo[at], high = (float)range->hi[at];
        low = (double)low < range->lo[at] ? nextafterf(low, INFINITY) : low;
        high = (double)high > range->hi[at] ? nextafterf(high, -INFINITY) : high;
        for (int l = 0; l < LANES; l++)
            x[i].of[l] = fminf(fmaxf(x[i].of[l], low), high);
    }
}

/* Momentum along normalised gradients; a step is a share of |x|. */
static void move(pattern *p, double reach)
{
    normalise(p->gradient, p->inputs);
    for (int64_t i = 0; i < p->inputs; i++)
        for (int l = 0; l < LANES; l++)
            p->momentum[i].of[l] = 0.9f * p->momentum[i].of[l] + 0.1f * p->gradient[i].of[l];
    lanes length = squares(p->momentum, p->inputs), size = squares(p->x, p->inputs);
    for (int l = 0; l < LANES; l++)
        size.of[l] = length.of[l] > 0 ? (float)reach * (sqrtf(size.of[l]) + 1e-3f) / sqrtf(length.of[l]) : 0;
    for (int64_t i = 0; i < p->inputs; i++)
        for (int l = 0; l < LANES; l++)
            p->x[i].of[l] += size.of[l] * p->momentum[i].of[l];
    into_range(p, p->x);
}

static void climb(pattern *p, double eps, double reach)
{
    look(p);
    soft_slopes(p, eps);
    power(p, 1);
    seeds(p, eps);
    hard_slopes(p);
    memset(p->adjoint, 0, (size_t)p->n * sizeof *p->adjoint);
    backward(p, true);
    copy(p->gradient, p->adjoint, p->inputs);
    move(p, reach);
}

/* Keeps the points whose true Jacobians are the largest so far. */
static void keep_best(pattern *p, int steps)
{
    look(p);
    hard_slopes(p);
    copy(p->gradient, p->v, p->inputs);
    lanes norm = power(p, steps);
    copy(p->v, p->gradient, p->inputs);
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
    copy(p->value, p->x, p->inputs);
    for (int64_t first = p->inputs, end; first < p->n; first = end) {
        const lip_node *node = p->plans[p->system->variable[first].plan].node;
        const double *z = lip_run_real(p->run, node->inputs[lip_node_varying(node)]);
        end = layer_end(p, first);
        for (int64_t i = first; i < end && z; i++) {
            lanes sum = row_times(&p->system->z.m, i, p->value, (lanes) { { 0 } });
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
    lanes **narrow[] = { &p->x, &p->gradient, &p->momentum, &p->v, &p->best_x };
    lanes **wide[] = { &p->z, &p->dz, &p->slope, &p->value, &p->adjoint };
    int64_t n = p->n, m = p->inputs, reals = m + p->k;
    int64_t bytes = (5 * m + 5 * n + 2 * p->k) * (int64_t)sizeof(lanes) + n * (int64_t)sizeof(float);
    double *reached = *room = lip_alloc(memory, reals + bytes / (int64_t)sizeof(double) + 1, sizeof(double));
    if (!reached)
        return false;
    p->point = reached;
    p->output = reached + m;
    lanes *next = (lanes *)(reached + reals);
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
    for (int64_t i = 0; i < p->inputs; i++)
        for (int l = 0; l < LANES; l++) {
            p->x[i].of[l] = (float)lip_random_normal(random);
            p->v[i].of[l] = (float)lip_random_normal(random);
            p->momentum[i].of[l] = 0;
        }
    normalise(p->v, p->inputs);
    into_range(p, p->x);
}

static double between(const double ends[2], double share) { return ends[0] * pow(ends[1] / ends[0], share); }

/* Ends at the best points of all. */
static void search(pattern *p, const double eps[2], const double reach[2], int steps)
{
    for (int step = 0; step < steps; step++) {
        double share = (double)step / steps;
        climb(p, between(eps, share), between(reach, share));
        if (step % LOOK_EVERY == LOOK_EVERY - 1)
            keep_best(p, LOOK_STEPS);
    }
    keep_best(p, LAST_STEPS);
    copy(p->x, p->best_x, p->inputs);
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
            int steps = (int)fmin(fmax(flops / (4 * pass), LOOK_EVERY), MOST_STEPS);
            search(&p, SMOOTHING[0], REACH[0], steps);
            search(&p, SMOOTHING[1], REACH[1], steps / 2);
            for (int l = 0; l < LANES; l++)
                best = fmax(best, judge(&p, l));
        }
    }
    lip_free(memory, room);
    lip_run_free(&p.run);
    return best;
}
