/*
 * batch_plan.c: liveness. Every computed value gets a slot from the time that
 * its node runs to the last time that somebody reads it; copies (Reshape,
 * Flatten ...) share their original's. A slot is as large as its largest
 * tenant.
 *
 * A Relu that alone reads an affine node can be done with it: its output is
 * born with that node's, so that either way of running fits the same plan.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "batch_parts.h"

typedef struct planner {
    const lip_model *model;
    lip_batch_precision precision;
    lip_step *steps;
    size_t step_count;
    lip_plan *plan;
    bool *taken; /* slots */
} planner;

static lip_place *place_of(const planner *p, const lip_value *value)
{
    return &p->plan->place[value->index];
}

static lip_place *root_of(const planner *p, const lip_value *value)
{
    return &p->plan->place[place_of(p, value)->root];
}

static bool is_wanted(const planner *p, const lip_value *value)
{
    return value != NULL && value->constant == NULL && (value->consumers > 0 || value == p->model->logits);
}

static lip_status open_place(const planner *p, const lip_value *value, size_t time, lip_error *error)
{
    lip_place *place = place_of(p, value);
    place->storage = lip_dtype_storage(value->dtype, true);
    if (place->storage == LIP_OPAQUE || !value->shape_known)
        return lip_fail(error, LIP_EUNSUPPORTED, "'%s' has no numbers for elements", value->name);
    if (place->storage == LIP_F64 && p->precision == LIP_BATCH_F32)
        place->storage = LIP_F32;
    if (!lip_shape_count(&value->shape, &place->count))
        return lip_fail(error, LIP_EUNSUPPORTED, "the size of '%s' overflows", value->name);
    place->born = time;
    place->dies = time;
    place->made = time;
    return LIP_OK;
}

/* The Relu at `step` reads what an affine step alone made for it. */
static void pair_relu(const planner *p, size_t step)
{
    const lip_value *x = lip_node_input(p->steps[step].node, 0);
    const lip_place *place = place_of(p, x);
    if (place->root != x->index || place->made == 0 || x->consumers != 1 || x == p->model->logits)
        return;
    lip_step *maker = &p->steps[place->made - 1];
    if (maker->kind != LIP_STEP_CONV && maker->kind != LIP_STEP_DENSE)
        return;
    maker->relu = step;
    p->steps[step].before = place->made - 1;
    root_of(p, p->steps[step].node->outputs[0])->born = place->born;
}

/* Births and deaths, one step after the other. */
static lip_status live(const planner *p, lip_error *error)
{
    const lip_model *model = p->model;
    for (size_t i = 0; i < model->value_count; i++)
        p->plan->place[i] = (lip_place){ .root = i, .slot = LIP_NO_SLOT, .storage = LIP_OPAQUE };
    lip_status status = open_place(p, model->inputs[0], 0, error);
    for (size_t i = 0; i < p->step_count && status == LIP_OK; i++) {
        const lip_node *node = p->steps[i].node;
        for (size_t j = 0; j < node->input_count; j++)
            if (node->inputs[j] != NULL && node->inputs[j]->constant == NULL)
                root_of(p, node->inputs[j])->dies = i + 1;
        for (size_t j = 0; j < node->output_count && status == LIP_OK; j++)
            if (is_wanted(p, node->outputs[j]))
                status = open_place(p, node->outputs[j], i + 1, error);
        if (status == LIP_OK && p->steps[i].kind == LIP_STEP_ALIAS)
            place_of(p, node->outputs[0])->root = place_of(p, node->inputs[0])->root;
        if (status == LIP_OK && p->steps[i].kind == LIP_STEP_RELU)
            pair_relu(p, i);
    }
    if (status == LIP_OK && model->logits->constant == NULL)
        root_of(p, model->logits)->dies = p->step_count;
    return status;
}

static size_t real_bytes(lip_storage storage)
{
    return storage == LIP_F32 ? sizeof(float) : sizeof(double);
}

/* The smallest free slot that is large enough; otherwise the largest free one grows; otherwise there is one more. */
static size_t choose(const planner *p, int64_t bytes)
{
    const int64_t *size = p->plan->slot;
    size_t best = LIP_NO_SLOT;
    for (size_t i = 0; i < p->plan->slot_count; i++) {
        if (p->taken[i])
            continue;
        const bool fits = size[i] >= bytes, best_fits = best != LIP_NO_SLOT && size[best] >= bytes;
        if (best == LIP_NO_SLOT || (fits && (!best_fits || size[i] < size[best])) ||
            (!fits && !best_fits && size[i] > size[best]))
            best = i;
    }
    return best != LIP_NO_SLOT ? best : p->plan->slot_count++;
}

static lip_status settle(const planner *p, const lip_value *value, lip_error *error)
{
    lip_place *place = place_of(p, value);
    int64_t bytes;
    if (place->storage == LIP_OPAQUE || place->root != value->index || place->slot != LIP_NO_SLOT)
        return LIP_OK;
    if (!lip_size_mul(place->count, (int64_t)real_bytes(place->storage), &bytes))
        return lip_fail(error, LIP_EUNSUPPORTED, "the size of '%s' overflows", value->name);
    place->slot = choose(p, bytes);
    p->taken[place->slot] = true;
    if (p->plan->slot[place->slot] < bytes)
        p->plan->slot[place->slot] = bytes;
    return LIP_OK;
}

static void leave(const planner *p, const lip_value *value, size_t time)
{
    if (value == NULL || value->constant != NULL)
        return;
    const lip_place *root = root_of(p, value);
    if (root->slot != LIP_NO_SLOT && root->dies == time)
        p->taken[root->slot] = false;
}

static lip_status settle_outputs(const planner *p, const lip_node *node, lip_error *error)
{
    lip_status status = LIP_OK;
    for (size_t j = 0; j < node->output_count && status == LIP_OK; j++)
        if (is_wanted(p, node->outputs[j]))
            status = settle(p, node->outputs[j], error);
    return status;
}

static lip_status settle_all(const planner *p, lip_error *error)
{
    lip_status status = settle(p, p->model->inputs[0], error);
    for (size_t i = 0; i < p->step_count && status == LIP_OK; i++) {
        const lip_node *node = p->steps[i].node;
        status = settle_outputs(p, node, error);
        if (status == LIP_OK && p->steps[i].relu != LIP_NO_STEP)
            status = settle_outputs(p, p->steps[p->steps[i].relu].node, error);
        for (size_t j = 0; j < node->input_count; j++)
            leave(p, node->inputs[j], i + 1);
        for (size_t j = 0; j < node->output_count; j++)
            leave(p, node->outputs[j], i + 1);
    }
    return status;
}

lip_status lip_plan_make(const lip_model *model, lip_batch_precision precision, lip_step *steps, size_t step_count,
                         lip_arena *arena, lip_plan *plan, lip_error *error)
{
    const int64_t values = (int64_t)model->value_count;
    planner p = { model, precision, steps, step_count, plan, NULL };
    plan->place = lip_arena_alloc(arena, values, sizeof *plan->place);
    plan->slot = lip_arena_alloc(arena, values, sizeof *plan->slot);
    p.taken = lip_arena_alloc(arena, values, sizeof *p.taken);
    if (plan->place == NULL || plan->slot == NULL || p.taken == NULL)
        return lip_fail_memory(error, NULL, "a batch");
    const lip_status status = live(&p, error);
    return status != LIP_OK ? status : settle_all(&p, error);
}

const lip_place *lip_plan_place(const lip_plan *plan, const lip_value *value)
{
    const lip_place *own = &plan->place[value->index], *root = &plan->place[own->root];
    return own->storage != LIP_OPAQUE && root->slot != LIP_NO_SLOT ? root : NULL;
}

const lip_place *lip_plan_place_at(const lip_plan *plan, const lip_value *value, size_t time)
{
    const lip_place *root = lip_plan_place(plan, value);
    return root != NULL && plan->place[value->index].made <= time && time <= root->dies ? root : NULL;
}
