/*
 * batch_pool.c: MaxPool over many samples, one tap of the window after the
 * other on whole planes, in the order and with the NaN of max_pool.c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "batch_parts.h"

#include "window.h"

#include <math.h>

struct lip_batch_pool {
    const lip_kernels *kernels;
    lip_window window; /* in three dimensions */
    int64_t planes;    /* of one sample */
    int64_t inputs, outputs; /* of one plane */
};

lip_status lip_batch_pool_open(const lip_node *node, const lip_kernels *kernels, lip_memory *memory,
                               lip_batch_pool **out, lip_error *error)
{
    lip_window window = { 0 };
    const lip_shape *x = &node->inputs[0]->shape;
    const lip_status status =
        lip_window_read(node, x, NULL, lip_attr_int(node, "ceil_mode", 0) != 0, &window, error);
    if (status != LIP_OK)
        return status;
    lip_batch_pool *pool = lip_alloc(memory, 1, sizeof *pool);
    if (pool == NULL)
        return lip_fail_memory(error, node, "its window");
    *pool = (lip_batch_pool){ .kernels = kernels, .window = lip_window_widen(&window), .inputs = 1, .outputs = 1 };
    pool->planes = x->dim[0] * x->dim[1];
    for (int i = 0; i < 3; i++) {
        pool->inputs *= pool->window.n[i];
        pool->outputs *= pool->window.n_out[i];
    }
    *out = pool;
    return LIP_OK;
}

void lip_batch_pool_free(lip_batch_pool *pool, lip_memory *memory)
{
    lip_free(memory, pool);
}

/* Outputs [first, last) of axis i see an input under tap t. */
static void seen(const lip_window *w, int i, int64_t t, int64_t *first, int64_t *last)
{
    const int64_t shift = w->pad_begin[i] - t * w->dilation[i], reach = w->n[i] - 1 + shift;
    *first = shift > 0 ? (shift + w->stride[i] - 1) / w->stride[i] : 0;
    *last = reach >= 0 ? reach / w->stride[i] + 1 : 0;
    if (*last > w->n_out[i])
        *last = w->n_out[i];
}

/* y = max(y, x under one tap) on one plane. */
static void max_tap(const lip_batch_pool *pool, const int64_t *tap, const char *x, char *y)
{
    const lip_window *w = &pool->window;
    const size_t size = pool->kernels->size;
    int64_t first[3], last[3], from[3];
    for (int i = 0; i < 3; i++) {
        seen(w, i, tap[i], &first[i], &last[i]);
        from[i] = first[i] * w->stride[i] + tap[i] * w->dilation[i] - w->pad_begin[i];
        if (first[i] >= last[i])
            return;
    }
    for (int64_t a = first[0]; a < last[0]; a++) {
        const int64_t plane = from[0] + (a - first[0]) * w->stride[0];
        const int64_t at = (plane * w->n[1] + from[1]) * w->n[2] + from[2];
        const int64_t to = (a * w->n_out[1] + first[1]) * w->n_out[2] + first[2];
        pool->kernels->max_rows(last[1] - first[1], last[2] - first[2], x + (size_t)at * size, w->stride[1] * w->n[2],
                                w->stride[2], y + (size_t)to * size, w->n_out[2]);
    }
}

void lip_batch_pool_run(const lip_batch_pool *pool, int64_t count, const void *x, void *y)
{
    const lip_window *w = &pool->window;
    const size_t size = pool->kernels->size;
    const double lowest = -(double)INFINITY;
    double start;
    pool->kernels->from_f64(1, &lowest, &start);
    for (int64_t p = 0; p < count * pool->planes; p++) {
        const char *from = (const char *)x + (size_t)(p * pool->inputs) * size;
        char *to = (char *)y + (size_t)(p * pool->outputs) * size;
        int64_t tap[3];
        pool->kernels->fill(pool->outputs, &start, to);
        for (tap[0] = 0; tap[0] < w->k[0]; tap[0]++)
            for (tap[1] = 0; tap[1] < w->k[1]; tap[1]++)
                for (tap[2] = 0; tap[2] < w->k[2]; tap[2]++)
                    max_tap(pool, tap, from, to);
    }
}
