/*
 * sweep.c: layer after layer, how far each neuron can move, and what it then
 * makes of that; at the end, how far the logits can fall.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "rounding.h"
#include "sweep.h"

enum { LANES = LIP_LOCAL_LANES };

/* >= |v|_2 of a layer. */
static double norm_of_most(const lip_local_sample *s, const lip_local_layer *layer)
{
    double squares = 0, terms = (double)layer->count;
    for (int64_t m = layer->first; m < layer->first + layer->count; m++)
        squares += s->most[m] * s->most[m];
    return lip_sqrt_up(lip_add_up(lip_mul_up(squares, 1 + lip_gamma(terms + 8)), terms * LIP_TINY));
}

/* A node of which only a gain is known: |du|^2 <= sum of gain^2 dz^2 over its inputs. */
static void pass(lip_local_sample *s, const lip_local_layer *layer)
{
    double squares = 0, terms = (double)layer->row_count;
    double gain = lip_sqrt_up(s->local->system.variable[layer->first_row].constant);
    for (int64_t m = layer->first_row; m < layer->first_row + layer->row_count; m++)
        s->wanted[m] = true;
    lip_local_reach(s, layer);
    for (int64_t m = layer->first_row; m < layer->first_row + layer->row_count; m++) {
        double reach = fmax(s->way[m].down, s->way[m].up);
        squares += s->local->system.variable[m].constant * (reach * reach);
    }
    double norm = lip_sqrt_up(lip_add_up(lip_mul_up(squares, 1 + lip_gamma(terms + 8)), terms * LIP_TINY));
    norm = fmin(norm, lip_mul_up(gain, lip_mul_up(s->r, layer->lipschitz)));
    s->group[layer - s->local->layers] = norm;
    for (int64_t m = layer->first; m < layer->first + layer->count; m++)
        s->most[m] = norm;
    s->all = lip_add_up(s->all, norm);
}

static void do_layer(lip_local_sample *s, const lip_local_layer *layer)
{
    lip_local_guess(s, layer);
    if (!lip_local_follows(layer)) {
        pass(s, layer);
        return;
    }
    lip_local_follow(s, layer);
    lip_local_reach(s, layer);
    lip_local_follow(s, layer);
    s->all = lip_add_up(s->all, norm_of_most(s, layer));
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
    s->work = 0;
    for (size_t k = 1; k < s->local->layer_count; k++)
        do_layer(s, &s->local->layers[k]);
    fall_of_logits(s, t, fall);
}

void lip_local_keep(lip_local_sample *s)
{
    lip_local_way *former = s->known;
    s->known = s->way;
    s->known_radius = s->r;
    s->way = former;
}
