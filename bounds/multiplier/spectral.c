/*
 * spectral.c: see spectral.h: geometry, frequencies, outputs.
 *
 * Outputs: with V(0) the transform of the last activations at frequency 0 of the
 * N x N torus, the sum over all positions of a channel is N times the sum of
 * its phases in V(0) (the transform is unitary). A row of Y is so
 * factor N tail_k,c for all phases of channel c, times the rows of the value;
 * with F the norm of the value's rows, E its error and t = tail's row,
 *     y_error = factor N sqrt(phases) ((||t|| (relative + (terms + 40) u) + absolute) F + ||t|| E).
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "spectral_graph.h"

#include "compose/workers.h"
#include "rounding.h"

#include <string.h>

static const double MORE = 1 + 0x1p-20;

enum { MOST_VARIABLES = 30000, MOST_SIDE = 4096 };

typedef struct numbers {
    const lip_spectral_walk *geometry;
    const int64_t (*turns)[2];
    int64_t circle;
    const lip_enclosed *tail;
    bool *failed;
} numbers;

static lip_status no_memory(lip_error *error)
{
    return lip_fail(error, LIP_EMEMORY, "the torus of the multipliers passes the memory cap");
}

/* Places variables; until now `first` held the stride of each group. */
static lip_status place(lip_spectral_walk *w)
{
    lip_spectral *s = w->spectral;
    s->side = (w->need + w->coarsest - 1) / w->coarsest;
    for (int64_t k = 0; k < s->groups; k++) {
        lip_spectral_group *g = &s->group[k];
        if (w->coarsest % g->first != 0)
            return lip_fail(w->error, LIP_EUNSUPPORTED, "strides that do not divide each other are not put on a torus");
        int64_t ratio = w->coarsest / g->first;
        if (ratio > MOST_VARIABLES / ratio || g->channels > MOST_VARIABLES / (ratio * ratio))
            return lip_fail(w->error, LIP_EUNSUPPORTED, "it has more than %d variables at each frequency of the torus",
                            MOST_VARIABLES);
        g->phases = ratio * ratio;
        g->first = s->variables;
        s->variables += g->channels * g->phases;
    }
    if (s->variables > MOST_VARIABLES || s->side > MOST_SIDE)
        return lip_fail(w->error, LIP_EUNSUPPORTED, "it has more than %d variables at each frequency of the torus",
                        MOST_VARIABLES);
    return LIP_OK;
}

/* One of each pair of conjugate frequencies, (0, 0) first where there is no twist. Their number; `to` may be NULL. */
static int64_t list_frequencies(int64_t side, bool twisted, int64_t (*to)[2])
{
    int64_t count = 0, n = twisted ? 2 * side : side, step = twisted ? 2 : 1;
    for (int64_t a = step - 1; a < n; a += step)
        for (int64_t b = step - 1; b < n; b += step) {
            int64_t mirror = (n - a) % n * n + (n - b) % n;
            if (a * n + b > mirror)
                continue;
            if (to) {
                to[count][0] = a;
                to[count][1] = b;
            }
            count++;
        }
    return count;
}

/* Patterns and sizes, and whether they are affordable. */
static lip_status settle(lip_spectral_walk *w)
{
    lip_spectral *s = w->spectral;
    lip_status status = place(w);
    if (status != LIP_OK)
        return status;
    bool *reads = lip_arena_alloc(w->arena, s->groups * s->groups, sizeof *reads);
    for (int64_t k = 0; reads && k < s->groups; k++)
        memcpy(reads + k * s->groups, w->reads + k * LIP_SPECTRAL_GROUPS, (size_t)s->groups * sizeof *reads);
    if (!reads || !lip_spectral_patterns(s, reads, w->arena))
        return no_memory(w->error);
    s->frequencies = list_frequencies(s->side, s->output >= 0, NULL);
    s->flops *= (double)s->frequencies;
    double blocks = (double)s->rows.start[s->groups] + (double)s->factor.start[s->groups];
    if (16 * blocks * (double)s->frequencies > LIP_SPECTRAL_BYTES || s->flops > LIP_SPECTRAL_FLOPS)
        return lip_fail(w->error, LIP_EUNSUPPORTED, "its torus has %.0f frequencies with %.0f variables each, too many",
                        (double)s->frequencies, (double)s->variables);
    return LIP_OK;
}

static bool allocate(lip_spectral *s)
{
    s->z = lip_alloc(s->memory, s->frequencies, sizeof *s->z);
    s->z_error = lip_alloc(s->memory, s->frequencies, sizeof *s->z_error);
    s->y = lip_alloc(s->memory, s->classes * s->variables, sizeof *s->y);
    s->y_error = lip_alloc(s->memory, s->classes, sizeof *s->y_error);
    bool fine = s->z && s->z_error && s->y && s->y_error;
    for (int64_t f = 0; fine && f < s->frequencies; f++) {
        s->z[f] = lip_alloc(s->memory, s->rows.start[s->groups], sizeof **s->z);
        s->z_error[f] = lip_alloc(s->memory, s->groups, sizeof **s->z_error);
        fine = s->z[f] && s->z_error[f];
    }
    return fine;
}

static void set_outputs(const lip_spectral_walk *w, const lip_enclosed *tail)
{
    lip_spectral *s = w->spectral;
    const lip_image *from = &w->mean;
    int64_t ratio = lip_image_ratio(w, from), phases = ratio * ratio;
    double factor = w->mean_factor * (double)s->side, norm = lip_image_norm(w, from);
    for (int64_t k = 0; k < s->classes; k++) {
        double square = 0;
        for (int64_t e = tail->m.start[k]; e < tail->m.start[k + 1]; e++) {
            double t = tail->m.value[e];
            square += t * t;
            for (int64_t p = 0; p < phases; p++)
                lip_image_gather(w, from, tail->m.col[e] * phases + p, factor * t, s->y + k * s->variables);
        }
        double terms = (double)(tail->m.start[k + 1] - tail->m.start[k]) * (double)phases, t = sqrt(square) * MORE;
        double off = (t * (tail->relative + (terms + 40) * LIP_UNIT) + (tail->absolute ? tail->absolute[k] : 0)) * norm;
        s->y_error[k] = lip_mul_up(factor * sqrt((double)phases) * (off + t * from->error), MORE);
    }
}

static void compute(void *context, size_t f)
{
    numbers *n = context;
    lip_spectral_walk w = *n->geometry;
    lip_error error = { 0 };
    w.numbers = true;
    w.error = &error;
    w.frequency = (int64_t)f;
    w.turns[0] = n->turns[f][0];
    w.turns[1] = n->turns[f][1];
    w.circle = n->circle;
    w.mean = (lip_image) { .form = LIP_IMAGE_NONE };
    w.values = lip_alloc(w.spectral->memory, (int64_t)w.model->value_count, sizeof *w.values);
    n->failed[f] = !w.values || lip_spectral_walk_all(&w) != LIP_OK;
    if (f == 0 && !n->failed[f] && n->tail)
        set_outputs(&w, n->tail);
    lip_spectral_walk_end(&w);
}

static lip_status compute_all(const lip_spectral_walk *geometry, const lip_enclosed *tail, int threads)
{
    lip_spectral *s = geometry->spectral;
    int64_t (*turns)[2] = lip_alloc(s->memory, s->frequencies, sizeof *turns);
    size_t *order = lip_alloc(s->memory, s->frequencies, sizeof *order);
    bool *failed = lip_alloc(s->memory, s->frequencies, sizeof *failed), fine = turns && order && failed;
    if (fine) {
        list_frequencies(s->side, s->output >= 0, turns);
        numbers n = { geometry, (const int64_t (*)[2])turns, s->output >= 0 ? 2 * s->side : s->side, tail, failed };
        for (int64_t f = 0; f < s->frequencies; f++)
            order[f] = (size_t)f;
        lip_run_jobs(compute, &n, order, (size_t)s->frequencies, threads);
        for (int64_t f = 0; f < s->frequencies; f++)
            fine = fine && !failed[f];
    }
    lip_free(s->memory, failed);
    lip_free(s->memory, order);
    lip_free(s->memory, turns);
    return fine ? LIP_OK : no_memory(geometry->error);
}

static lip_status build(lip_spectral_walk *w, bool only_size, int threads)
{
    lip_spectral *s = w->spectral;
    s->group = lip_arena_alloc(w->arena, LIP_SPECTRAL_GROUPS, sizeof *s->group);
    w->reads = lip_arena_alloc(w->arena, LIP_SPECTRAL_GROUPS * LIP_SPECTRAL_GROUPS, sizeof *w->reads);
    w->values = lip_alloc(s->memory, (int64_t)w->model->value_count, sizeof *w->values);
    if (!s->group || !w->reads || !w->values)
        return no_memory(w->error);
    lip_status status = lip_spectral_walk_all(w);
    if (status == LIP_OK)
        status = settle(w);
    if (status != LIP_OK || only_size)
        return status;
    const lip_enclosed *tail = w->values[w->model->logits->index].flat;
    s->classes = tail ? tail->m.rows : 0;
    return allocate(s) ? compute_all(w, tail, threads) : no_memory(w->error);
}

lip_status lip_spectral_build(const lip_model *model, const lip_layer_plan *plans, size_t count, bool only_size,
                              int threads, lip_arena *arena, lip_spectral *out, lip_error *error)
{
    lip_error inner = { 0 };
    *out = (lip_spectral) { .memory = arena->memory, .output = -1 };
    lip_spectral_walk w = { .model = model, .plans = plans, .count = count, .arena = arena, .spectral = out,
                            .coarsest = 1, .error = &inner };
    lip_status status = build(&w, only_size, threads);
    lip_spectral_walk_end(&w);
    if (status != LIP_OK)
        lip_fail(error, status, "%s", inner.reason);
    return status;
}

void lip_spectral_close(lip_spectral *s)
{
    for (int64_t f = 0; f < s->frequencies; f++) {
        if (s->z)
            lip_free(s->memory, s->z[f]);
        if (s->z_error)
            lip_free(s->memory, s->z_error[f]);
    }
    lip_free(s->memory, s->z);
    lip_free(s->memory, s->z_error);
    lip_free(s->memory, s->y);
    lip_free(s->memory, s->y_error);
    s->z = NULL;
    s->z_error = NULL;
    s->y = s->y_error = NULL;
}
