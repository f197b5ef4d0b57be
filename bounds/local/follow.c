/*
 * follow.c: what neurons and max-pools make of their inputs' ways.
 *
 * A max-pool u = max z_q, with k the largest at the sample as computed: in real arithmetic
 *     gap_q = z_k - z_q - 2 error <= the true difference, may be negative;
 *     u' >= z'_k,  u <= z_k + tie,  tie = max(0, max -gap_q):                  du >= dz_k - tie;
 *     u' = max z'_q, z'_q - z'_k <= up_q + down_k - gap_q,  u >= z_k:          du <= dz_k + rise,
 * rise = max(0, max over q != k of that). So du follows the row of z_k, and does nothing else where no other can
 * overtake. Together: z'_q - z'_k of an overtaker is at most |dz_q - dz_k| + tie, and the square of the first at most
 * 2 (dz_q^2 + dz_k^2), which over all windows adds up to at most 2 s |dz|_2^2, s the most windows that share an
 * element.
 *
 * How far the neurons of a layer move together: the root of the sum of their squares, or r times the Lipschitz
 * constant up to them, whichever is less. The first is good where few of them are left that may cross their kink, the
 * other where many are.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "rounding.h"
#include "sweep.h"

static bool is_linear(const lip_local_neuron *n) { return n->slope.w[0] == 0 && n->slope.w[1] == 0; }

static void slopes(lip_local_sample *s, const lip_local_layer *layer)
{
    double error = s->error[layer - s->local->layers];
    for (int64_t m = layer->first; m < layer->first + layer->count; m++) {
        const lip_variable *v = &s->local->system.variable[m];
        lip_local_neuron *n = &s->neuron[m];
        n->slope = lip_local_slope_of(&layer->slopes, v->constant, s->z[layer->anchor + v->element], error,
                                      s->way[m].down, s->way[m].up);
        n->reach = fmax(s->way[m].down, s->way[m].up);
        n->row = m;
        n->tie = 0;
        s->most[m] = lip_mul_up(v->constant, n->reach);
        s->wanted[m] = !is_linear(n);
    }
}

/* Of window o: who is the largest. */
static int64_t largest(const lip_windows *w, const double *z, int64_t o)
{
    int64_t best = w->input[w->start[o]];
    for (int64_t e = w->start[o]; e < w->start[o + 1]; e++)
        best = z[w->input[e]] > z[best] ? w->input[e] : best;
    return best;
}

static void window(lip_local_sample *s, const lip_local_layer *layer, int64_t o)
{
    const lip_windows *w = &layer->windows;
    const double *z = s->z + layer->anchor;
    const int64_t k = largest(w, z, o), first = layer->first_row;
    double twice = 2 * s->error[layer - s->local->layers], tie = 0, rise = 0, most = 0;
    for (int64_t e = w->start[o]; e < w->start[o + 1]; e++) {
        int64_t q = w->input[e];
        most = fmax(most, fmax(s->way[first + q].down, s->way[first + q].up));
        if (q == k)
            continue;
        double gap = lip_sub_down(lip_sub_down(z[k], z[q]), twice);
        double over = lip_sub_up(lip_add_up(s->way[first + q].up, s->way[first + k].down), gap);
        tie = fmax(tie, -gap);
        rise = fmax(rise, over);
        if (over > 0)
            s->wanted[first + q] = s->wanted[first + k] = true;
    }
    s->neuron[layer->first + o] = (lip_local_neuron) {
        .slope = { .c = { 1, 1 }, .w = { rise > 0 ? 1 : 0, 0 } }, .reach = rise, .tie = tie, .row = first + k };
    s->most[layer->first + o] = most;
}

/* sqrt(sum reach^2) of those that lose something by it. */
static double norm_of_reaches(const lip_local_sample *s, const lip_local_layer *layer)
{
    double squares = 0, terms = (double)layer->count;
    for (int64_t m = layer->first; m < layer->first + layer->count; m++)
        squares += is_linear(&s->neuron[m]) ? 0 : s->neuron[m].reach * s->neuron[m].reach;
    return lip_sqrt_up(lip_add_up(lip_mul_up(squares, 1 + lip_gamma(terms + 8)), terms * LIP_TINY));
}

void lip_local_follow(lip_local_sample *s, const lip_local_layer *layer)
{
    double together = lip_mul_up(s->r, layer->lipschitz);
    if (layer->kind == LIP_VAR_SLOPE) {
        slopes(s, layer);
    } else {
        double shared = s->local->system.variable[layer->first_row].constant; /* >= s */
        for (int64_t m = layer->first_row; m < layer->first_row + layer->row_count; m++)
            s->wanted[m] = false;
        for (int64_t o = 0; o < layer->windows.outputs; o++)
            window(s, layer, o);
        together = lip_mul_up(lip_sqrt_up(2 * shared), together);
    }
    s->group[layer - s->local->layers] = fmin(norm_of_reaches(s, layer), together);
}
