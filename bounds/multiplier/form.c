/*
 * form.c: see form.h.
 *
 * The order. A variable's key is where it lies in the image, from 0 (top) to
 * 1 (bottom): of an input its row, of a neuron the mean of the keys of what it
 * reads. A neuron that reads more than half of the image has no place: it
 * comes last, layer by layer. In the order of keys, what a convolution reads
 * lies near what it writes, so that the matrix is banded, with a border for
 * the dense layers at the end; for dense networks it is the order of the layers.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "form.h"

#include "rounding.h"

#include <stdlib.h>

enum { TILE_SIDE = 160 };
static const double DENSE_SPAN = 0.5;

typedef struct keyed {
    double key;
    int64_t variable;
} keyed;

static int by_key(const void *x, const void *y)
{
    const keyed *a = x, *b = y;
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return a->variable < b->variable ? -1 : a->variable > b->variable;
}

/* Row of an input element: images are [N, C, H, W] or [N, H, W, C], sequences [N, C, W]. */
static double input_key(const lip_shape *shape, int64_t element)
{
    int axis = shape->rank == 4 && shape->dim[1] > shape->dim[3] ? 1 : 2;
    if (shape->rank < 3)
        return 0;
    int64_t inner = 1, size = shape->dim[axis];
    for (int d = axis + 1; d < shape->rank; d++)
        inner *= shape->dim[d];
    return ((double)(element / inner % size) + 0.5) / (double)size;
}

static void set_input_keys(const lip_model *model, keyed *keys)
{
    int64_t at = 0;
    for (size_t i = 0; i < model->input_count; i++) {
        int64_t count;
        if (!model->inputs[i]->varies || !lip_shape_count(&model->inputs[i]->shape, &count))
            continue;
        for (int64_t j = 0; j < count; j++)
            keys[at++].key = input_key(&model->inputs[i]->shape, j);
    }
}

/* PASS variables follow the AUX variables of their layer, spread over them. */
static double pass_key(const lip_system *s, const keyed *keys, int64_t i)
{
    int64_t first = s->first[s->variable[i].plan], start = i, end = i;
    while (s->variable[start - 1].kind == LIP_VAR_PASS && s->variable[start - 1].plan == s->variable[i].plan)
        start--;
    while (end < s->variables && s->variable[end].kind == LIP_VAR_PASS && s->variable[end].plan == s->variable[i].plan)
        end++;
    return keys[first + (i - start) * (start - first) / (end - start)].key;
}

static void set_keys(const lip_system *s, keyed *keys)
{
    const lip_rows *z = &s->z.m;
    for (int64_t i = s->inputs; i < s->variables; i++) {
        double sum = 0, low = 9e99, high = 0;
        for (int64_t e = z->start[i]; e < z->start[i + 1]; e++) {
            double key = keys[z->col[e]].key;
            sum += key;
            low = fmin(low, key);
            high = fmax(high, key);
        }
        int64_t terms = z->start[i + 1] - z->start[i];
        if (s->variable[i].kind == LIP_VAR_PASS)
            keys[i].key = pass_key(s, keys, i);
        else if (terms > 0)
            keys[i].key = high > 1 || high - low > DENSE_SPAN ? fmax(high, 2 + s->variable[i].plan)
                                                              : sum / (double)terms;
    }
}

static bool set_order(lip_form *form, const lip_model *model)
{
    const lip_system *s = form->system;
    keyed *keys = lip_alloc(form->memory, s->variables, sizeof *keys);
    form->position = lip_alloc(form->memory, s->variables, sizeof *form->position);
    if (keys && form->position) {
        set_input_keys(model, keys);
        set_keys(s, keys);
        for (int64_t i = 0; i < s->variables; i++)
            keys[i].variable = i;
        qsort(keys, (size_t)s->variables, sizeof *keys, by_key);
        for (int64_t i = 0; i < s->variables; i++)
            form->position[keys[i].variable] = (int32_t)i;
    }
    bool fine = keys && form->position;
    lip_free(form->memory, keys);
    return fine;
}

static int64_t pair(int64_t a, int64_t b) { return a >= b ? a * (a + 1) / 2 + b : b * (b + 1) / 2 + a; }

lip_status lip_form_open(const lip_system *system, const lip_model *model, int threads, lip_memory *memory,
                         lip_form *out, lip_error *error)
{
    const lip_rows *z = &system->z.m;
    *out = (lip_form) { .system = system, .memory = memory };
    bool fine = set_order(out, model);
    int64_t count = (system->variables + TILE_SIDE - 1) / TILE_SIDE;
    bool *wanted = lip_alloc(memory, count * (count + 1) / 2, sizeof *wanted);
    fine = fine && wanted;
    for (int64_t i = 0; fine && i < system->variables; i++)
        for (int64_t e = z->start[i]; e < z->start[i + 1]; e++)
            wanted[pair(out->position[i] / TILE_SIDE, out->position[z->col[e]] / TILE_SIDE)] = true;
    fine = fine && lip_tiled_open(&out->tiles, system->variables, TILE_SIDE, wanted, threads, memory);
    lip_free(memory, wanted);
    return fine ? LIP_OK : lip_fail(error, LIP_EMEMORY, "the multipliers' matrix passes the memory cap");
}

void lip_form_close(lip_form *form)
{
    if (form->tiles.memory)
        lip_tiled_close(&form->tiles);
    lip_free(form->memory, form->position);
    form->position = NULL;
}

double lip_form_diagonal(const lip_variable *variable, double multiplier)
{
    switch (variable->kind) {
    case LIP_VAR_SLOPE: return 2 * multiplier;
    case LIP_VAR_PASS: return multiplier;
    case LIP_VAR_AUX: return lip_div_down(1, lip_up(multiplier * variable->constant));
    default: return 1;
    }
}

void lip_form_fill(lip_form *form, const double *multipliers, const double *scale, double shift, size_t off)
{
    const lip_system *s = form->system;
    const lip_rows *z = &s->z.m;
    const int32_t *position = form->position;
    lip_tiled_clear(&form->tiles);
    for (int64_t i = 0; i < s->variables; i++) {
        const lip_variable *variable = &s->variable[i];
        bool out = variable->plan >= 0 && (size_t)variable->plan >= off;
        double multiplier = lip_form_multiplier(variable, multipliers), si = scale ? scale[i] : 1;
        double diagonal = out ? 1 : lip_form_diagonal(variable, multiplier) * si * si;
        *lip_tiled_element(&form->tiles, position[i], position[i]) =
            shift == 0 ? diagonal : lip_sub_down(diagonal, shift);
        double factor = lip_form_factor(variable, multiplier);
        for (int64_t e = z->start[i]; e < z->start[i + 1] && !out; e++) {
            int64_t j = z->col[e], a = position[i], b = position[j];
            double value = factor * z->value[e];
            *lip_tiled_element(&form->tiles, a > b ? a : b, a > b ? b : a) = scale ? value * si * scale[j] : value;
        }
    }
}
