/*
 * sweep.c: layer after layer, how far each neuron can move, and what it then
 * makes of that; at the end, how far the logits can fall.
 *
 * How far the neurons of a layer together: the root of the sum of their squares, or r times the Lipschitz constant up
 * to them, whichever is less. The first is good where few of them are left that may cross their kink, the other where
 * many are.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "rounding.h"
#include "sweep.h"

enum { LANES = LIP_LOCAL_LANES };

/* Rows m_1 .. of a layer waiting to be taken back, each with either sign: lanes 2 i and 2 i + 1. */
typedef struct waiting {
    int64_t row[LANES / 2];
    int count;
} waiting;

static lip_local_slope slope_of(const lip_local_sample *s, const lip_local_layer *layer, int64_t m, double down,
                                double up)
{
    const lip_variable *v = &s->local->system.variable[m];
    return lip_local_slope_of(&layer->slopes, v->constant, s->z[layer->anchor + v->element],
                              s->error[layer - s->local->layers], down, up);
}

static bool is_linear(const lip_local_slope *slope) { return slope->w[0] == 0 && slope->w[1] == 0; }

static void take_back(lip_local_sample *s, const lip_local_layer *layer, waiting *rows)
{
    double fall[LANES];
    for (int i = 0; i < rows->count; i++)
        for (int side = 0; side < 2; side++)
            lip_local_put(s, 2 * i + side, side == 0 ? 1 : -1, &s->local->system.z, rows->row[i],
                          s->move[rows->row[i]]);
    lip_local_take_back(s, (size_t)(layer - s->local->layers), fall);
    for (int i = 0; i < rows->count; i++) {
        int64_t m = rows->row[i];
        double down = fmin(fall[2 * i], s->reach[m]), up = fmin(fall[2 * i + 1], s->reach[m]);
        s->reach[m] = fmax(down, up);
        if (layer->kind == LIP_VAR_SLOPE)
            s->slope[m] = slope_of(s, layer, m, down, up);
    }
    rows->count = 0;
}

/* Rows in which inputs are all there is need not be taken back: their move is what they reach. */
static bool is_direct(const lip_local_sample *s, int64_t m)
{
    const lip_rows *z = &s->local->system.z.m;
    for (int64_t e = z->start[m]; e < z->start[m + 1]; e++)
        if (z->col[e] >= s->local->system.inputs)
            return false;
    return true;
}

static void reach_rows(lip_local_sample *s, const lip_local_layer *layer)
{
    const lip_enclosed *z = &s->local->system.z;
    waiting rows = { .count = 0 };
    double together = lip_mul_up(s->r, layer->lipschitz);
    for (int64_t m = layer->first_row; m < layer->first_row + layer->row_count; m++) {
        s->move[m] = lip_local_move(s, z, m);
        double reach = lip_mul_up(s->move[m], 1 + z->relative * (1 + 0x1p-20));
        reach = fmin(together, lip_add_up(reach, z->absolute ? lip_mul_up(z->absolute[m], s->all) : 0));
        s->reach[m] = s->r <= s->known_radius ? fmin(reach, s->known[m]) : reach;
        if (layer->kind == LIP_VAR_SLOPE) {
            s->slope[m] = slope_of(s, layer, m, s->reach[m], s->reach[m]);
            if (is_linear(&s->slope[m]))
                continue;
        }
        if (is_direct(s, m))
            continue;
        rows.row[rows.count++] = m;
        if (rows.count == LANES / 2)
            take_back(s, layer, &rows);
    }
    if (rows.count > 0)
        take_back(s, layer, &rows);
}

/* sqrt(sum factor reach^2) over rows of the layer. */
static double norm_of(const lip_local_sample *s, const lip_local_layer *layer, double (*factor)(const void *, int64_t))
{
    double squares = 0, terms = (double)layer->row_count;
    for (int64_t m = layer->first_row; m < layer->first_row + layer->row_count; m++) {
        double f = factor(s, m);
        squares += f > 0 ? f * (s->reach[m] * s->reach[m]) : 0;
    }
    return lip_sqrt_up(lip_add_up(lip_mul_up(squares, 1 + lip_gamma(terms + 8)), terms * LIP_TINY));
}

static double gain_factor(const void *sample, int64_t m)
{
    return ((const lip_local_sample *)sample)->local->system.variable[m].constant;
}

static double kink_factor(const void *sample, int64_t m)
{
    return is_linear(&((const lip_local_sample *)sample)->slope[m]) ? 0 : 1;
}

static void finish_layer(lip_local_sample *s, const lip_local_layer *layer)
{
    double *group = &s->group[layer - s->local->layers], squares = 0;
    if (layer->kind == LIP_VAR_PASS) {
        double gain = lip_sqrt_up(s->local->system.variable[layer->first_row].constant);
        *group = fmin(norm_of(s, layer, gain_factor), lip_mul_up(gain, lip_mul_up(s->r, layer->lipschitz)));
        for (int64_t m = layer->first; m < layer->first + layer->count; m++)
            s->most[m] = *group;
        s->all = lip_add_up(s->all, *group);
        return;
    }
    *group = fmin(norm_of(s, layer, kink_factor), lip_mul_up(s->r, layer->lipschitz));
    for (int64_t m = layer->first; m < layer->first + layer->count; m++) {
        s->most[m] = lip_mul_up(s->local->system.variable[m].constant, s->reach[m]);
        squares += s->most[m] * s->most[m];
    }
    double terms = (double)layer->count;
    s->all = lip_add_up(s->all, lip_sqrt_up(lip_add_up(lip_mul_up(squares, 1 + lip_gamma(terms + 8)),
                                                       terms * LIP_TINY)));
}

static void fall_of_logits(lip_local_sample *s, int64_t t, double *fall)
{
    const lip_enclosed *y = &s->local->system.y;
    double falls[LANES], own = lip_local_move(s, y, t);
    for (int64_t first = 0; first < y->m.rows; first += LANES) {
        int64_t count = y->m.rows - first < LANES ? y->m.rows - first : LANES;
        for (int i = 0; i < count; i++) {
            int64_t j = first + i;
            if (j == t)
                continue;
            lip_local_put(s, i, 1, y, t, own);
            lip_local_put(s, i, -1, y, j, lip_local_move(s, y, j));
        }
        lip_local_take_back(s, s->local->layer_count, falls);
        for (int i = 0; i < count; i++)
            fall[first + i] = first + i == t ? 0 : falls[i];
    }
}

void lip_local_falls(lip_local_sample *s, double r, int64_t t, double *fall)
{
    s->r = s->all = r;
    for (size_t k = 1; k < s->local->layer_count; k++) {
        reach_rows(s, &s->local->layers[k]);
        finish_layer(s, &s->local->layers[k]);
    }
    fall_of_logits(s, t, fall);
}

void lip_local_keep(lip_local_sample *s)
{
    double *former = s->known;
    s->known = s->reach;
    s->known_radius = s->r;
    s->reach = former;
}
