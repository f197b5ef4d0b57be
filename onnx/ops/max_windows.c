/*
 * max_windows.c: see windows.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "windows.h"

#include "support.h"
#include "window.h"

#include <string.h>

/* How many inputs output `position` of a plane sees; their offsets in the plane go to `at`, unless it is NULL. */
static int64_t list(const lip_window *w, int64_t position, int64_t offset, int32_t *at)
{
    const lip_box b = lip_window_box(w, position);
    int64_t count = 0;
    for (int64_t i = 0; i < b.count[0]; i++)
        for (int64_t j = 0; j < b.count[1]; j++)
            for (int64_t k = 0; k < b.count[2]; k++, count++)
                if (at != NULL)
                    at[count] = (int32_t)(offset + lip_window_row(w, &b, i, j) + k * w->dilation[2]);
    return count;
}

/* The window that is a whole plane. */
static lip_window plane(const lip_shape *input)
{
    lip_window w = { .dims = 3, .n = { 1, 1, 1 }, .n_out = { 1, 1, 1 }, .stride = { 1, 1, 1 },
                     .dilation = { 1, 1, 1 } };
    for (int d = 2; d < input->rank; d++)
        w.n[2] *= input->dim[d];
    memcpy(w.k, w.n, sizeof w.k);
    return w;
}

lip_status lip_max_windows(const lip_node *node, lip_arena *arena, lip_windows *out, lip_error *error)
{
    lip_window w = { 0 };
    int64_t elements, outputs, listed = 0;
    *out = (lip_windows){ 0 };
    const bool global = strcmp(node->op_type, "GlobalMaxPool") == 0;
    if (node->domain[0] != '\0' || (!global && strcmp(node->op_type, "MaxPool") != 0))
        return LIP_OK;
    const lip_shape *input = &node->inputs[0]->shape;
    if (!lip_shape_count(input, &elements) || elements > INT32_MAX ||
        !lip_shape_count(&node->outputs[0]->shape, &outputs))
        return LIP_OK;
    if (global)
        w = plane(input);
    else
        LIP_TRY(lip_window_read(node, input, NULL, lip_attr_int(node, "ceil_mode", 0) != 0, &w, error));
    w = lip_window_widen(&w);
    const int64_t size = w.n[0] * w.n[1] * w.n[2], positions = w.n_out[0] * w.n_out[1] * w.n_out[2];
    for (int64_t o = 0; o < positions; o++)
        listed += list(&w, o, 0, NULL);
    if (!lip_size_mul(listed, outputs / positions, &listed))
        return lip_fail_memory(error, node, "its windows");
    out->start = lip_arena_alloc(arena, outputs + 1, sizeof *out->start);
    out->input = lip_arena_alloc(arena, listed, sizeof *out->input);
    if (out->start == NULL || out->input == NULL)
        return lip_fail_memory(error, node, "its windows");
    for (int64_t o = 0; o < outputs; o++)
        out->start[o + 1] = out->start[o] + list(&w, o % positions, o / positions * size, out->input + out->start[o]);
    out->outputs = outputs;
    return LIP_OK;
}
