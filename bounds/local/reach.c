/*
 * reach.c: how far the rows of one layer can move.
 *
 * First what costs next to nothing: the sum of what each variable can add; r times the Lipschitz constant of the whole
 * layer; what a former call has found. A row that holds inputs only is done with it, since the sum is then r |Z_m|; so
 * is one that is a neuron's g and nothing else (a max-pool's input after a Relu), which that neuron's bounds tell. The
 * others are taken back through the network where somebody wants to know better, as long as the work of the call
 * allows; deep and wide networks, where it does not, have bounds that grow with every layer anyway.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "rounding.h"
#include "sweep.h"

enum { ROWS = LIP_LOCAL_LANES / 2 }; /* taken back together, each with either sign */
enum { MOST_WORK = 100000000 };      /* each of LIP_LOCAL_LANES multiplications and additions */

static lip_local_way smaller(lip_local_way a, lip_local_way b)
{
    return (lip_local_way) { fmin(a.down, b.down), fmin(a.up, b.up) };
}

static bool has_inputs_only(const lip_local_sample *s, int64_t m)
{
    const lip_rows *z = &s->local->system.z.m;
    for (int64_t e = z->start[m]; e < z->start[m + 1]; e++)
        if (z->col[e] >= s->local->system.inputs)
            return false;
    return true;
}

/* The column of a neuron that is all of row m, with the factor 1; -1: it is something else. */
static int64_t only_neuron(const lip_local_sample *s, int64_t m)
{
    const lip_system *system = &s->local->system;
    int64_t e = system->z.m.start[m];
    if (system->z.m.start[m + 1] != e + 1 || system->z.m.value[e] != 1 ||
        system->variable[system->z.m.col[e]].kind != LIP_VAR_SLOPE || (system->z.absolute && system->z.absolute[m] > 0))
        return -1;
    return system->z.m.col[e];
}

/* From p dg >= p c dz - |p| w |dz| with p = -1 and 1, at the ends of dz's way. */
static lip_local_way way_of_neuron(const lip_local_sample *s, int64_t k)
{
    const lip_local_slope *slope = &s->neuron[k].slope;
    lip_local_way z = s->way[k];
    return (lip_local_way) {
        fmax(0, fmax(lip_mul_up(lip_add_up(slope->w[1], slope->c[1]), z.down),
                     lip_mul_up(fmax(0, lip_sub_up(slope->w[1], slope->c[1])), z.up))),
        fmax(0, fmax(lip_mul_up(lip_add_up(slope->w[0], slope->c[0]), z.up),
                     lip_mul_up(fmax(0, lip_sub_up(slope->w[0], slope->c[0])), z.down))),
    };
}

void lip_local_guess(lip_local_sample *s, const lip_local_layer *layer)
{
    const lip_enclosed *z = &s->local->system.z;
    double together = lip_mul_up(s->r, layer->lipschitz), more = 1 + z->relative * (1 + 0x1p-20);
    for (int64_t m = layer->first_row; m < layer->first_row + layer->row_count; m++) {
        s->move[m] = lip_local_move(s, z, m);
        double reach = lip_add_up(lip_mul_up(s->move[m], more), z->absolute ? lip_mul_up(z->absolute[m], s->all) : 0);
        reach = fmin(reach, together);
        s->way[m] = (lip_local_way) { reach, reach };
        int64_t neuron = only_neuron(s, m);
        if (neuron >= 0) {
            lip_local_way own = way_of_neuron(s, neuron);
            s->way[m] = smaller(s->way[m], (lip_local_way) { lip_mul_up(own.down, more), lip_mul_up(own.up, more) });
        }
        if (s->r <= s->known_radius)
            s->way[m] = smaller(s->way[m], s->known[m]);
    }
}

static void take_back(lip_local_sample *s, const lip_local_layer *layer, const int64_t *rows, int count)
{
    double fall[LIP_LOCAL_LANES];
    for (int i = 0; i < count; i++)
        for (int side = 0; side < 2; side++)
            lip_local_put(s, 2 * i + side, side == 0 ? 1 : -1, &s->local->system.z, rows[i], s->move[rows[i]]);
    lip_local_take_back(s, (size_t)(layer - s->local->layers), fall);
    for (int i = 0; i < count; i++)
        s->way[rows[i]] = smaller(s->way[rows[i]], (lip_local_way) { fall[2 * i], fall[2 * i + 1] });
}

void lip_local_reach(lip_local_sample *s, const lip_local_layer *layer)
{
    int64_t rows[ROWS];
    int count = 0;
    for (int64_t m = layer->first_row; m < layer->first_row + layer->row_count; m++) {
        bool wanted = s->wanted[m] && s->work < MOST_WORK && !has_inputs_only(s, m) && only_neuron(s, m) < 0;
        s->wanted[m] = false;
        if (!wanted)
            continue;
        rows[count++] = m;
        if (count == ROWS) {
            take_back(s, layer, rows, count);
            count = 0;
        }
    }
    if (count > 0)
        take_back(s, layer, rows, count);
}
