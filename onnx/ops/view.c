/*
 * view.c: strided copies; the innermost dimension is a plain loop.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "view.h"

#include "copy.h"
#include "support.h"

#include <string.h>

void lip_view_push(lip_view *view, int64_t dim, int64_t in_stride, int64_t out_stride)
{
    if (dim == 1) return;
    int last = view->rank - 1;
    if (view->rank > 0 && dim > 0 && view->in_stride[last] == dim * in_stride &&
        view->out_stride[last] == dim * out_stride) {
        view->dim[last] *= dim;
    } else {
        last = view->rank++;
        view->dim[last] = dim;
    }
    view->in_stride[last] = in_stride;
    view->out_stride[last] = out_stride;
}

/* The outer dimensions' counter; in and out are where the current row begins. */
typedef struct cursor {
    int64_t index[LIP_VIEW_RANK];
    int64_t in, out;
} cursor;

static bool cursor_begin(const lip_view *view, cursor *at)
{
    *at = (cursor){.in = view->in_offset, .out = view->out_offset};
    for (int d = 0; d < view->rank; d++) {
        if (view->dim[d] == 0) return false;
    }
    return true;
}

static bool cursor_next(const lip_view *view, cursor *at)
{
    for (int d = view->rank - 2; d >= 0; d--) {
        at->in += view->in_stride[d];
        at->out += view->out_stride[d];
        if (++at->index[d] < view->dim[d]) return true;
        at->in -= view->in_stride[d] * view->dim[d];
        at->out -= view->out_stride[d] * view->dim[d];
        at->index[d] = 0;
    }
    return false;
}

void lip_view_copy(const lip_view *view, const void *in, void *out)
{
    cursor at;
    int last = view->rank - 1;
    int64_t n = view->rank > 0 ? view->dim[last] : 1;
    int64_t from = view->rank > 0 ? view->in_stride[last] : 1, to = view->rank > 0 ? view->out_stride[last] : 1;
    for (bool more = cursor_begin(view, &at); more; more = cursor_next(view, &at)) {
        const uint64_t *x = (const uint64_t *)in + at.in;
        uint64_t *y = (uint64_t *)out + at.out;
        if (from == 1 && to == 1) {
            memcpy(y, x, (size_t)n * sizeof *y);
        } else {
            for (int64_t i = 0; i < n; i++) memcpy(y + i * to, x + i * from, sizeof *y);
        }
    }
}

void lip_view_add(const lip_view *view, const double *out, double *in)
{
    cursor at;
    int last = view->rank - 1;
    int64_t n = view->rank > 0 ? view->dim[last] : 1;
    int64_t to = view->rank > 0 ? view->in_stride[last] : 1, from = view->rank > 0 ? view->out_stride[last] : 1;
    for (bool more = cursor_begin(view, &at); more; more = cursor_next(view, &at)) {
        double *x = in + at.in;
        const double *y = out + at.out;
        for (int64_t i = 0; i < n; i++) x[i * to] += y[i * from];
    }
}

lip_status lip_view_forward(const lip_call *call, lip_view_plan *plan, lip_error *error)
{
    lip_view view;
    if (!call->out[0]) return LIP_OK;
    LIP_TRY(plan(call->node, &view, error));
    lip_view_copy(&view, call->in[0]->data, call->out[0]->room);
    return LIP_OK;
}

lip_status lip_view_adjoint(const lip_call *call, lip_view_plan *plan, lip_error *error)
{
    lip_view view;
    lip_zero_grad(call, 0);
    if (!call->in_grad[0] || !call->out_grad[0]) return LIP_OK;
    LIP_TRY(plan(call->node, &view, error));
    lip_view_add(&view, call->out_grad[0], call->in_grad[0]);
    return LIP_OK;
}
