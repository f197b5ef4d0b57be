/*
 * target.c: see target.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "target.h"

#include "gain/box.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

enum { BISECTIONS = 40 };

lip_status lip_target_open(const lip_model *model, const lip_input_range *box, lip_target *out, lip_error *error)
{
    lip_target t = { .model = model, .memory = (lip_memory *)(uintptr_t)&model->memory, .box = box };
    int64_t elements;
    lip_status status = lip_run_open(model, &t.run, error);
    if (status != LIP_OK)
        return status;
    bool fits = lip_shape_count(&model->inputs[0]->shape, &t.n) && lip_shape_count(&model->logits->shape, &t.classes) &&
                t.n < INT32_MAX && t.classes < INT32_MAX && lip_size_mul(t.n, LIP_TARGET_VECTORS + 1, &elements);
    t.room = fits ? lip_alloc(t.memory, elements + 2 * t.classes, sizeof *t.room) : NULL;
    if (!t.room) {
        lip_target_close(&t);
        return lip_fail_memory(error, NULL, "an attack");
    }
    t.best = t.room;
    for (int i = 0; i < LIP_TARGET_VECTORS; i++)
        t.vector[i] = t.room + (i + 1) * t.n;
    t.logits = t.room + elements;
    t.seed = t.logits + t.classes;
    *out = t;
    return LIP_OK;
}

void lip_target_close(lip_target *t)
{
    if (!t->memory)
        return;
    lip_run_free(&t->run);
    lip_free(t->memory, t->room);
    *t = (lip_target) { .memory = NULL };
}

double lip_target_distance(const lip_target *t, const double *x)
{
    double largest = 0, sum = 0;
    for (int64_t i = 0; i < t->n; i++)
        largest = fmax(largest, fabs(x[i] - t->sample[i]));
    if (largest == 0 || !isfinite(largest))
        return largest;
    for (int64_t i = 0; i < t->n; i++) {
        double share = (x[i] - t->sample[i]) / largest;
        sum += share * share;
    }
    return largest * sqrt(sum);
}

bool lip_target_look(lip_target *t, double *x)
{
    if (t->box)
        lip_box_clip(t->box, &t->model->inputs[0]->shape, x);
    const double *inputs[1] = { x };
    if (lip_run_forward(t->run, inputs, &t->error) != LIP_OK || lip_run_logits(t->run, t->logits, &t->error) != LIP_OK)
        return false;
    t->rival = t->label == 0 ? 1 : 0;
    for (int64_t k = t->rival + 1; k < t->classes; k++)
        if (k != t->label && t->logits[k] > t->logits[t->rival])
            t->rival = k;
    t->lead = t->logits[t->label] - t->logits[t->rival];
    return true;
}

bool lip_target_try(lip_target *t, double *x)
{
    if (!lip_target_look(t, x))
        return false;
    double distance = t->lead < 0 ? lip_target_distance(t, x) : (double)INFINITY;
    if (distance < t->distance) {
        t->distance = distance;
        t->found = t->rival;
        memcpy(t->best, x, (size_t)t->n * sizeof *x);
    }
    return true;
}

/* The classes of largest logits but the label, in falling order. */
static void choose_rivals(lip_target *t)
{
    t->rival_count = 0;
    for (int64_t k = 0; k < t->classes; k++) {
        if (k == t->label)
            continue;
        bool full = t->rival_count == LIP_TARGET_RIVALS;
        if (full && !(t->logits[k] > t->logits[t->rivals[t->rival_count - 1]]))
            continue;
        int at = full ? t->rival_count - 1 : t->rival_count++;
        for (; at > 0 && t->logits[t->rivals[at - 1]] < t->logits[k]; at--)
            t->rivals[at] = t->rivals[at - 1];
        t->rivals[at] = k;
    }
}

bool lip_target_take(lip_target *t, const double *sample, int64_t label)
{
    t->sample = sample;
    t->label = label;
    t->distance = (double)INFINITY;
    t->found = -1;
    memcpy(t->vector[0], sample, (size_t)t->n * sizeof *sample);
    if (!lip_target_try(t, t->vector[0]))
        return false;
    choose_rivals(t);
    return true;
}

bool lip_target_gradient(lip_target *t, int64_t rival, double *gradient, double *length)
{
    memset(t->seed, 0, (size_t)t->classes * sizeof *t->seed);
    t->seed[t->label] = 1;
    t->seed[rival] = -1;
    if (lip_run_gradient(t->run, t->seed, 0, gradient, &t->error) != LIP_OK)
        return false;
    *length = cblas_dnrm2((blasint)t->n, gradient, 1);
    return true;
}

bool lip_target_way_back(lip_target *t)
{
    double low = 0, high = 1, *far = t->vector[0], *x = t->vector[1];
    if (!(t->distance > 0) || !isfinite(t->distance))
        return true;
    memcpy(far, t->best, (size_t)t->n * sizeof *far);
    for (int step = 0; step < BISECTIONS; step++) {
        double middle = (low + high) / 2;
        for (int64_t i = 0; i < t->n; i++)
            x[i] = t->sample[i] + middle * (far[i] - t->sample[i]);
        if (!lip_target_try(t, x))
            return false;
        *(t->lead < 0 ? &high : &low) = middle;
    }
    return true;
}
