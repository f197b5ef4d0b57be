/*
 * cuts.c: where a network may be split.
 *
 * Plans are in topological order. If every way leads through v, what is not
 * before v comes after it, in any such order; so v is a cut exactly if
 * it is the only value made up to its node that is read after it.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "stages.h"

/* Per value: one more than the last plan that reads it; the logits are read at the end. */
static bool find_last_uses(const lip_model *model, const lip_layer_plan *plans, size_t count, lip_arena *arena,
                           size_t **out)
{
    size_t *last = lip_arena_alloc(arena, (int64_t)model->value_count, sizeof *last);
    for (size_t i = 0; last && i < count; i++)
        for (size_t k = 0; k < plans[i].node->input_count; k++)
            if (plans[i].node->inputs[k])
                last[plans[i].node->inputs[k]->index] = i + 1;
    if (last)
        last[model->logits->index] = count + 1;
    *out = last;
    return last != NULL;
}

/* within[i]: between plans i and i + 1 lies a pair of a layer and a scale that it took. */
static void mark_pairs(const lip_layer_plan *plans, size_t count, bool *within)
{
    for (size_t i = 0; i < count; i++) {
        const lip_layer_plan *others[] = { plans[i].before, plans[i].after };
        for (int k = 0; k < 2; k++) {
            if (!others[k])
                continue;
            size_t j = (size_t)(others[k] - plans), low = i < j ? i : j, high = i < j ? j : i;
            for (size_t at = low; at < high; at++)
                within[at] = true;
        }
    }
}

bool lip_find_cuts(const lip_model *model, const lip_layer_plan *plans, size_t count, lip_arena *arena,
                   lip_cut **cuts, size_t *cut_count)
{
    size_t *last, alive = 0, *ending = lip_arena_alloc(arena, (int64_t)count + 2, sizeof *ending);
    bool *within = lip_arena_alloc(arena, (int64_t)count, sizeof *within);
    *cuts = lip_arena_alloc(arena, (int64_t)count + 1, sizeof **cuts);
    if (!ending || !within || !*cuts || !find_last_uses(model, plans, count, arena, &last))
        return false;
    mark_pairs(plans, count, within);
    for (size_t i = 0; i < model->input_count; i++)
        if (model->inputs[i]->varies && last[model->inputs[i]->index] > 0) {
            alive++;
            ending[last[model->inputs[i]->index]]++;
        }
    *cut_count = 1; /* the first is all zero: the inputs */
    for (size_t i = 0; i < count; i++) {
        const lip_node *node = plans[i].node;
        for (size_t o = 0; o < node->output_count; o++)
            if (node->outputs[o] && last[node->outputs[o]->index] > i) {
                alive++;
                ending[last[node->outputs[o]->index]]++;
            }
        alive -= ending[i + 1];
        const lip_value *value = node->outputs[0];
        if (alive == 1 && value && last[value->index] > i + 1 && value->shape_known && !within[i])
            (*cuts)[(*cut_count)++] = (lip_cut) { i + 1, value };
    }
    return true;
}
