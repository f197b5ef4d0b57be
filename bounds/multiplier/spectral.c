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

typedef struct numbers {
    const lip_spectral_walk *geometry;
    const int64_t (*j)[2];
    const lip_enclosed *tail;
    bool *failed;
} numbers;

/* Places variables; until now `first` held the stride of each group. */
static lip_status settle(lip_spectral_walk *w)
{
    lip_spectral *s = w->spectral;
    s->side = (w->need + w->coarsest - 1) / w->coarsest;
    for (int64_t k = 0; k < s->groups; k++) {
        lip_spectral_group *g = &s->group[k];
        if (w->coarsest % g->first != 0)
            return lip_fail(w->error, LIP_EUNSUPPORTED, "strides that do not divide each other are not put on a torus");
        int64_t ratio = w->coarsest / g->first;
        g->phases = ratio * ratio;
        g->first = s->variables;
        s->variables += g->channels * g->phases;
        if (s->variables > LIP_SPECTRAL_VARIABLES)
            return lip_fail(w->error, LIP_EUNSUPPORTED, "it has more than %d variables at each frequency of the torus",
                            LIP_SPECTRAL_VARIABLES);
    }
    return LIP_OK;
}

static bool allocate(lip_spectral *s)
{
    s->frequencies = (s->side * s->side + 1) / 2 + 2; /* at most */
    s->z = lip_alloc(s->memory, s->frequencies, sizeof *s->z);
    s->z_error = lip_alloc(s->memory, s->frequencies, sizeof *s->z_error);
    s->y = lip_alloc(s->memory, s->classes * s->variables, sizeof *s->y);
    s->y_error = lip_alloc(s->memory, s->classes, sizeof *s->y_error);
    bool fine = s->z && s->z_error && s->y && s->y_error;
    for (int64_t f = 0; fine && f < s->frequencies; f++) {
        s->z[f] = lip_alloc(s->memory, s->variables * s->variables, sizeof **s->z);
        s->z_error[f] = lip_alloc(s->memory, s->groups, sizeof **s->z_error);
        fine = s->z[f] && s->z_error[f];
    }
    return fine;
}

/* One of each pair j, -j; (0, 0) first. Their number is s->frequencies. */
static void list_frequencies(lip_spectral *s, int64_t (*j)[2])
{
    int64_t n = s->side;
    s->frequencies = 0;
    for (int64_t a = 0; a < n; a++)
        for (int64_t b = 0; b < n; b++) {
            int64_t mirror = (n - a) % n * n + (n - b) % n;
            if (a * n + b > mirror)
                continue;
            j[s->frequencies][0] = a;
            j[s->frequencies++][1] = b;
        }
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
                for (int64_t v = 0; v < s->variables; v++)
                    s->y[k * s->variables + v] +=
                        factor * t * creal(lip_image_element(w, from, tail->m.col[e] * phases + p, v));
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
    w.j[0] = n->j[f][0];
    w.j[1] = n->j[f][1];
    w.mean = (lip_image) { .form = LIP_IMAGE_NONE };
    w.values = lip_alloc(w.spectral->memory, (int64_t)w.model->value_count, sizeof *w.values);
    n->failed[f] = !w.values || lip_spectral_walk_all(&w) != LIP_OK;
    if (f == 0 && !n->failed[f])
        set_outputs(&w, n->tail);
    lip_spectral_walk_end(&w);
}

static lip_status compute_all(const lip_spectral_walk *geometry, const lip_enclosed *tail, int threads)
{
    lip_spectral *s = geometry->spectral;
    int64_t most = s->side * s->side;
    int64_t (*j)[2] = lip_alloc(s->memory, most, sizeof *j);
    size_t *order = lip_alloc(s->memory, most, sizeof *order);
    bool *failed = lip_alloc(s->memory, most, sizeof *failed), fine = j && order && failed;
    if (fine) {
        list_frequencies(s, j);
        numbers n = { geometry, (const int64_t (*)[2])j, tail, failed };
        for (int64_t f = 0; f < s->frequencies; f++)
            order[f] = (size_t)f;
        lip_run_jobs(compute, &n, order, (size_t)s->frequencies, threads);
        for (int64_t f = 0; f < s->frequencies; f++)
            fine = fine && !failed[f];
    }
    lip_free(s->memory, failed);
    lip_free(s->memory, order);
    lip_free(s->memory, j);
    return fine ? LIP_OK : lip_fail(geometry->error, LIP_EMEMORY, "the torus of the multipliers passes the memory cap");
}

lip_status lip_spectral_build(const lip_model *model, const lip_layer_plan *plans, const lip_layer_gain *gains,
                              size_t count, int threads, lip_arena *arena, lip_spectral *out, lip_error *error)
{
    lip_error inner = { 0 };
    *out = (lip_spectral) { .memory = arena->memory };
    lip_spectral_walk w = { .model = model, .plans = plans, .gains = gains, .count = count, .arena = arena,
                            .spectral = out, .coarsest = 1, .error = &inner };
    out->group = lip_arena_alloc(arena, LIP_SPECTRAL_GROUPS, sizeof *out->group);
    w.values = lip_alloc(out->memory, (int64_t)model->value_count, sizeof *w.values);
    lip_status status = out->group && w.values ? lip_spectral_walk_all(&w)
                                               : lip_fail(&inner, LIP_EMEMORY, "no memory for a torus");
    if (status == LIP_OK)
        status = settle(&w);
    if (status == LIP_OK) {
        const lip_enclosed *tail = w.values[model->logits->index].flat;
        out->classes = tail->m.rows;
        status = allocate(out) ? compute_all(&w, tail, threads) : lip_fail(&inner, LIP_EMEMORY, "no memory for a torus");
    }
    lip_spectral_walk_end(&w);
    if (status != LIP_OK)
        lip_fail(error, status, "%s", inner.reason);
    return status;
}

void lip_spectral_close(lip_spectral *s)
{
    for (int64_t f = 0; f < s->side * s->side; f++) { /* at most as many were opened */
        if (s->z && f < (s->side * s->side + 1) / 2 + 2)
            lip_free(s->memory, s->z[f]);
        if (s->z_error && f < (s->side * s->side + 1) / 2 + 2)
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
