/*
 * open.c: the network's system cut into layers, and room for a sample.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "rounding.h"
#include "sweep.h"

#include <string.h>

enum { MOST = 1 << 16 }; /* variables */

static lip_status no_memory(lip_error *error)
{
    return lip_fail(error, LIP_EMEMORY, "the bounds around samples pass the memory cap");
}

/* Where the variables of one kind and node end that begin at `from`. */
static int64_t end_of(const lip_system *system, int64_t from)
{
    const lip_variable *v = &system->variable[from];
    int64_t to = from;
    while (to < system->variables && system->variable[to].kind == v->kind && system->variable[to].plan == v->plan)
        to++;
    return to;
}

static int64_t count_layers(const lip_system *system)
{
    int64_t count = 0;
    for (int64_t at = 0; at < system->variables; at = end_of(system, at))
        count += system->variable[at].kind != LIP_VAR_AUX;
    return count;
}

static void set_node(lip_local *local, lip_local_layer *layer, const lip_layer_plan *plan, const double *lipschitz)
{
    int64_t elements = 0;
    int input = lip_node_varying(plan->node);
    const lip_value *z = input >= 0 ? plan->node->inputs[input] : NULL;
    layer->node = plan->node;
    layer->lipschitz = z ? lipschitz[z->index] : (double)INFINITY;
    if (layer->kind != LIP_VAR_SLOPE && layer->windows.outputs == 0)
        return;
    lip_shape_count(&z->shape, &elements);
    layer->z = z;
    layer->anchor = local->anchored;
    if (layer->kind == LIP_VAR_SLOPE)
        layer->slopes = lip_local_kind_of(plan);
    local->anchored += elements;
}

static lip_status cut(lip_local *local, const lip_layer_plan *plans, const double *lipschitz, lip_arena *arena,
                      lip_error *error)
{
    const lip_system *system = &local->system;
    for (int64_t at = 0, to; at < system->variables; at = to) {
        const lip_variable *v = &system->variable[at];
        int64_t row = at;
        to = end_of(system, at);
        if (v->kind == LIP_VAR_AUX) {
            at = to;
            to = end_of(system, to);
        }
        lip_local_layer *layer = &local->layers[local->layer_count++];
        *layer = (lip_local_layer) { .kind = system->variable[at].kind, .first = at, .count = to - at,
                                     .first_row = row, .lipschitz = (double)INFINITY };
        layer->row_count = (layer->kind == LIP_VAR_PASS ? at : to) - row;
        if (layer->kind == LIP_VAR_INPUT)
            continue;
        lip_status status = layer->kind != LIP_VAR_PASS ? LIP_OK
                            : lip_max_windows(plans[v->plan].node, arena, &layer->windows, error);
        if (status != LIP_OK)
            return status;
        set_node(local, layer, &plans[v->plan], lipschitz);
    }
    return LIP_OK;
}

/* How many rows share a column, at most. */
static int64_t most_in_column(const lip_rows *m, int64_t *counts)
{
    int64_t most = 0;
    memset(counts, 0, (size_t)m->cols * sizeof *counts);
    for (int64_t e = 0; e < m->start[m->rows]; e++)
        counts[m->col[e]]++;
    for (int64_t k = 0; k < m->cols; k++)
        most = counts[k] > most ? counts[k] : most;
    return most;
}

/* How often a row is added for one column, at most: once, or for each window that an element of a max-pool is in. */
static double most_times(const lip_local *local)
{
    double most = 1;
    for (size_t i = 0; i < local->layer_count; i++)
        if (local->layers[i].windows.outputs > 0)
            most = fmax(most, local->system.variable[local->layers[i].first_row].constant);
    return most;
}

lip_status lip_local_open(const lip_model *model, const lip_layer_plan *plans, const double *gains, size_t count,
                          const double *lipschitz, lip_arena *arena, const lip_local **out, lip_error *error)
{
    lip_local *local = lip_arena_alloc(arena, 1, sizeof *local);
    lip_layer_gain *upper = lip_arena_alloc(arena, (int64_t)count, sizeof *upper);
    if (!local || !upper)
        return no_memory(error);
    for (size_t i = 0; i < count; i++)
        upper[i].upper = gains[i];
    lip_status status = lip_system_build(model, plans, upper, count, MOST, arena, &local->system, error);
    if (status != LIP_OK)
        return status;
    const lip_system *system = &local->system;
    int64_t *counts = lip_arena_alloc(arena, system->z.m.cols, sizeof *counts);
    local->layers = lip_arena_alloc(arena, count_layers(system), sizeof *local->layers);
    if (!counts || !local->layers)
        return no_memory(error);
    status = cut(local, plans, lipschitz, arena, error);
    if (status != LIP_OK)
        return status;
    double terms = (double)most_in_column(&system->z.m, counts) * most_times(local) + 2;
    local->drift = lip_add_up(lip_gamma(terms + 8),
                              lip_mul_up(fmax(system->z.relative, system->y.relative), 1 + 0x1p-20));
    *out = local;
    return LIP_OK;
}

size_t lip_local_layers(const lip_local *local) { return local->layer_count; }
int64_t lip_local_anchored(const lip_local *local) { return local->anchored; }

const lip_node *lip_local_anchor(const lip_local *local, size_t index, const lip_value **value, int64_t *offset)
{
    const lip_local_layer *layer = &local->layers[index];
    if (!layer->z)
        return NULL;
    *value = layer->z;
    *offset = layer->anchor;
    return layer->node;
}

void lip_local_sample_free(lip_local_sample **sample)
{
    if (!sample || !*sample)
        return;
    lip_local_sample *s = *sample;
    void *parts[] = { s->z, s->error, s->way, s->known, s->move, s->most, s->neuron, s->group, s->p, s->touched,
                      s->wanted, s->magnitude, s->absolute };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        lip_free(s->memory, parts[i]);
    lip_free(s->memory, s);
    *sample = NULL;
}

static bool allocate(lip_local_sample *s)
{
    const int64_t variables = s->local->system.variables, layers = (int64_t)s->local->layer_count;
    s->z = lip_alloc(s->memory, s->local->anchored + 1, sizeof(double));
    s->error = lip_alloc(s->memory, layers, sizeof(double));
    s->way = lip_alloc(s->memory, variables, sizeof *s->way);
    s->known = lip_alloc(s->memory, variables, sizeof *s->known);
    s->move = lip_alloc(s->memory, variables, sizeof(double));
    s->most = lip_alloc(s->memory, variables, sizeof(double));
    s->neuron = lip_alloc(s->memory, variables, sizeof *s->neuron);
    s->group = lip_alloc(s->memory, layers, sizeof(double));
    s->p = lip_alloc(s->memory, variables * LIP_LOCAL_LANES, sizeof(double));
    s->touched = lip_alloc(s->memory, variables, sizeof(bool));
    s->wanted = lip_alloc(s->memory, variables, sizeof(bool));
    s->magnitude = lip_alloc(s->memory, LIP_LOCAL_LANES, sizeof(double));
    s->absolute = lip_alloc(s->memory, LIP_LOCAL_LANES, sizeof(double));
    return s->z && s->error && s->way && s->known && s->move && s->most && s->neuron && s->group && s->p &&
           s->touched && s->wanted && s->magnitude && s->absolute;
}

lip_status lip_local_sample_new(const lip_local *local, lip_memory *memory, lip_local_sample **out, lip_error *error)
{
    lip_local_sample *s = lip_alloc(memory, 1, sizeof *s);
    if (s) {
        s->local = local;
        s->memory = memory;
    }
    if (!s || !allocate(s)) {
        lip_local_sample_free(&s);
        return no_memory(error);
    }
    *out = s;
    return LIP_OK;
}

void lip_local_sample_set(lip_local_sample *sample, const double *z, const double *error)
{
    memcpy(sample->z, z, (size_t)sample->local->anchored * sizeof *z);
    memcpy(sample->error, error, sample->local->layer_count * sizeof *error);
    sample->known_radius = 0;
}
