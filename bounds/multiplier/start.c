/*
 * start.c: multipliers layer by layer, in closed form but for one eigenvalue.
 *
 * With X the matrix J of the layers before and T = t I, the next layer's
 * 2 T - width^2 T Z X^-1 Z' T is positive definite for t < 2 / (width^2 lambda),
 * and largest at t = 1 / (width^2 lambda), lambda the largest eigenvalue of
 * Z X^-1 Z'. For a PASS, X - T gain^2 Z'Z > 0 needs T < 1 / (gain^2 lambda).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "objective.h"

#include <math.h>
#include <string.h>

enum { STEPS = 40 };
static const double WIDTHS = 1e-6;

/* Range of the variables that a layer's rows belong to. */
static void layer_range(const lip_system *s, int32_t plan, int64_t *first, int64_t *end)
{
    *first = s->first[plan];
    for (*end = *first; *end < s->variables && s->variable[*end].plan == plan; (*end)++)
        if (s->variable[*end].kind == LIP_VAR_PASS)
            return;
}

/* u := Z_k X^-1 Z_k' u, by the factor of X; `row` has room for all variables. */
static void apply(const lip_form *form, int64_t first, int64_t end, double *u, double *row)
{
    const lip_system *s = form->system;
    const lip_rows *z = &s->z.m;
    memset(row, 0, (size_t)s->variables * sizeof *row);
    for (int64_t i = first; i < end; i++)
        for (int64_t e = z->start[i]; e < z->start[i + 1]; e++)
            row[form->position[z->col[e]]] += z->value[e] * u[i - first];
    lip_tiled_append(&form->tiles, 1, row);
    lip_tiled_back(&form->tiles, 1, row);
    for (int64_t i = first; i < end; i++) {
        u[i - first] = 0;
        for (int64_t e = z->start[i]; e < z->start[i + 1]; e++)
            u[i - first] += z->value[e] * row[form->position[z->col[e]]];
    }
}

static double largest_eigenvalue(const lip_form *form, int64_t first, int64_t end, lip_random *random, double *u,
                                 double *row)
{
    double norm = 0;
    for (int64_t i = 0; i < end - first; i++)
        u[i] = lip_random_normal(random);
    for (int step = 0; step < STEPS; step++) {
        norm = 0;
        for (int64_t i = 0; i < end - first; i++)
            norm += u[i] * u[i];
        norm = sqrt(norm);
        for (int64_t i = 0; i < end - first && norm > 0; i++)
            u[i] /= norm;
        if (norm > 0)
            apply(form, first, end, u, row);
    }
    norm = 0;
    for (int64_t i = 0; i < end - first; i++)
        norm += u[i] * u[i];
    return sqrt(norm);
}

/* For neurons of several widths, T = D t with D = width^-2: 2 T - W T Q T W = W^-1 (2 t - t^2 Q) W^-1. */
static void set_layer(const lip_system *s, int64_t first, double lambda, double *theta)
{
    int32_t plan = s->variable[first].plan;
    double widest = 0;
    for (int64_t i = first; i < s->variables && s->variable[i].plan == plan; i++)
        widest = fmax(widest, s->variable[i].constant);
    for (int64_t i = first; i < s->variables && s->variable[i].plan == plan; i++) {
        double width = fmax(s->variable[i].constant, WIDTHS * widest); /* a smaller T is fine, a huge one is not */
        bool slope = s->variable[first].kind == LIP_VAR_SLOPE;
        double scale = slope ? width * width * lambda * 1.02 : 2 * s->variable[first].constant * lambda;
        theta[s->variable[i].multiplier] = scale > 0 ? -log(scale) : 0;
    }
}

bool lip_start_layerwise(lip_form *form, bool choose, lip_random *random, double *theta, double *reach)
{
    const lip_system *s = form->system;
    double *u = lip_alloc(form->memory, s->variables, sizeof *u);
    double *row = lip_alloc(form->memory, s->variables, sizeof *row);
    double *multipliers = lip_alloc(form->memory, s->multipliers, sizeof *multipliers);
    bool fine = u && row && multipliers;
    for (int64_t i = s->inputs; i < s->variables && fine; i++) {
        int64_t first, end;
        int32_t plan = s->variable[i].plan;
        if (i > s->inputs && plan == s->variable[i - 1].plan)
            continue;
        for (int64_t m = 0; m < s->multipliers; m++)
            multipliers[m] = exp(theta[m]);
        lip_form_fill(form, multipliers, NULL, 0, (size_t)plan);
        fine = lip_tiled_factor(&form->tiles);
        layer_range(s, plan, &first, &end);
        double lambda = fine ? largest_eigenvalue(form, first, end, random, u, row) : 0;
        reach[plan] = sqrt(lambda);
        if (choose && fine)
            set_layer(s, first, lambda, theta);
    }
    lip_free(form->memory, multipliers);
    lip_free(form->memory, row);
    lip_free(form->memory, u);
    return fine;
}
