/*
 * window.c: see window.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "window.h"

#include "support.h"

#include <inttypes.h>
#include <string.h>

lip_status lip_window_attr(const lip_node *node, const char *name, int count, int64_t low, int64_t otherwise,
                           int64_t *out, lip_error *error)
{
    lip_ints ints;
    LIP_TRY(lip_ints_of_attr(node, name, &ints, error));
    if (ints.value != NULL && ints.count != count)
        return lip_fail_node(error, LIP_EFORMAT, node, "%s has %" PRId64 " numbers, %d are needed", name, ints.count,
                             count);
    for (int i = 0; i < count; i++) {
        out[i] = ints.value != NULL ? ints.value[i] : otherwise;
        if (out[i] < low || out[i] > INT32_MAX)
            return lip_fail_node(error, LIP_EFORMAT, node, "%s has %" PRId64 ", which is %s", name, out[i],
                                 out[i] < low ? "too small" : "too large");
    }
    return LIP_OK;
}

lip_status lip_window_auto_pad(const lip_node *node, lip_auto_pad *out, lip_error *error)
{
    static const char *const names[] = { "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID" };
    const char *name = lip_attr_string(node, "auto_pad", "NOTSET");
    for (int i = 0; i < 4; i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (lip_auto_pad)i;
            return LIP_OK;
        }
    if (name[0] != '\0') /* some old exporters write an empty string for NOTSET */
        return lip_fail_node(error, LIP_EFORMAT, node, "auto_pad '%s' is not defined", name);
    *out = LIP_PAD_EXPLICIT;
    return LIP_OK;
}

static lip_status read_kernel_shape(const lip_node *node, const int64_t *kernel, lip_window *w, lip_error *error)
{
    const lip_attr *attr = lip_attr_find(node, "kernel_shape");
    if (attr == NULL && kernel == NULL)
        return lip_fail_node(error, LIP_EFORMAT, node, "attribute kernel_shape is missing");
    LIP_TRY(lip_window_attr(node, "kernel_shape", w->dims, 1, 1, w->k, error));
    for (int i = 0; i < w->dims && kernel != NULL; i++) {
        if (kernel[i] < 1 || kernel[i] > INT32_MAX)
            return lip_fail_node(error, LIP_EFORMAT, node, "the kernel's size is %" PRId64, kernel[i]);
        if (attr != NULL && w->k[i] != kernel[i])
            return lip_fail_node(error, LIP_EFORMAT, node, "kernel_shape says %" PRId64 ", the weights have %" PRId64,
                                 w->k[i], kernel[i]);
        w->k[i] = kernel[i];
    }
    return LIP_OK;
}

lip_status lip_window_read_kernel(const lip_node *node, const lip_shape *input, const int64_t *kernel, lip_window *out,
                                  lip_error *error)
{
    lip_window w = { .dims = input->rank - 2 };
    if (w.dims < 1)
        return lip_fail_node(error, LIP_EFORMAT, node, "its input has %d dimensions, at least 3 are needed",
                             input->rank);
    if (w.dims > 3)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "%d spatial dimensions are more than 3", w.dims);
    for (int i = 0; i < w.dims; i++) {
        w.n[i] = input->dim[i + 2];
        if (w.n[i] < 1 || w.n[i] > INT32_MAX)
            return lip_fail_node(error, LIP_EFORMAT, node, "its input's size is %" PRId64, w.n[i]);
    }
    LIP_TRY(read_kernel_shape(node, kernel, &w, error));
    LIP_TRY(lip_window_attr(node, "strides", w.dims, 1, 1, w.stride, error));
    LIP_TRY(lip_window_attr(node, "dilations", w.dims, 1, 1, w.dilation, error));
    *out = w;
    return LIP_OK;
}

static int64_t min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t reach_of(const lip_window *w, int i)
{
    return (w->k[i] - 1) * w->dilation[i] + 1;
}

/* Pads that make n_out = ceil(n / stride). */
static void pad_same(lip_window *w, int i, bool upper)
{
    w->n_out[i] = (w->n[i] - 1) / w->stride[i] + 1;
    const int64_t needed = (w->n_out[i] - 1) * w->stride[i] + reach_of(w, i) - w->n[i];
    const int64_t total = needed > 0 ? needed : 0;
    w->pad_begin[i] = upper ? total / 2 : total - total / 2;
    w->pad_end[i] = total - w->pad_begin[i];
}

static lip_status count_windows(const lip_node *node, lip_window *w, int i, bool ceil_mode, lip_error *error)
{
    const int64_t room = w->n[i] + w->pad_begin[i] + w->pad_end[i] - reach_of(w, i);
    if (room < 0)
        return lip_fail_node(error, LIP_EFORMAT, node,
                             "its input has %" PRId64 " elements with %" PRId64 " and %" PRId64
                             " of padding, fewer than the kernel's %" PRId64 " with dilation %" PRId64,
                             w->n[i], w->pad_begin[i], w->pad_end[i], w->k[i], w->dilation[i]);
    w->n_out[i] = room / w->stride[i] + 1;
    if (ceil_mode && room % w->stride[i] != 0)
        w->n_out[i]++;
    if (ceil_mode && w->n_out[i] > 1 && (w->n_out[i] - 1) * w->stride[i] >= w->n[i] + w->pad_begin[i])
        w->n_out[i]--;
    return LIP_OK;
}

static lip_status check_sizes(const lip_node *node, const lip_window *w, lip_error *error)
{
    for (int i = 0; i < w->dims; i++)
        if (w->n_out[i] > INT32_MAX || w->pad_begin[i] > INT32_MAX || w->pad_end[i] > INT32_MAX)
            return lip_fail_node(error, LIP_EFORMAT, node, "its output's size %" PRId64 " or padding is too large",
                                 w->n_out[i]);
    return LIP_OK;
}

lip_status lip_window_read(const lip_node *node, const lip_shape *input, const int64_t *kernel, bool ceil_mode,
                           lip_window *out, lip_error *error)
{
    lip_window w = { 0 };
    lip_auto_pad mode = LIP_PAD_EXPLICIT;
    int64_t pads[6];
    LIP_TRY(lip_window_read_kernel(node, input, kernel, &w, error));
    LIP_TRY(lip_window_auto_pad(node, &mode, error));
    LIP_TRY(lip_window_attr(node, "pads", 2 * w.dims, -INT32_MAX, 0, pads, error));
    for (int i = 0; i < w.dims; i++) {
        if (mode == LIP_PAD_SAME_UPPER || mode == LIP_PAD_SAME_LOWER) {
            pad_same(&w, i, mode == LIP_PAD_SAME_UPPER);
            continue;
        }
        w.pad_begin[i] = mode == LIP_PAD_EXPLICIT ? pads[i] : 0;
        w.pad_end[i] = mode == LIP_PAD_EXPLICIT ? pads[i + w.dims] : 0;
        /* For VALID the standard's formulas with and without ceil_mode agree: no window sticks out. */
        LIP_TRY(count_windows(node, &w, i, ceil_mode && mode == LIP_PAD_EXPLICIT, error));
    }
    LIP_TRY(check_sizes(node, &w, error));
    *out = w;
    return LIP_OK;
}

lip_window lip_window_widen(const lip_window *window)
{
    lip_window wide = { .dims = 3 };
    const int missing = 3 - window->dims;
    for (int i = 0; i < 3; i++) {
        const bool real = i >= missing;
        const int from = real ? i - missing : 0;
        wide.n[i] = real ? window->n[from] : 1;
        wide.n_out[i] = real ? window->n_out[from] : 1;
        wide.k[i] = real ? window->k[from] : 1;
        wide.stride[i] = real ? window->stride[from] : 1;
        wide.dilation[i] = real ? window->dilation[from] : 1;
        wide.pad_begin[i] = real ? window->pad_begin[from] : 0;
        wide.pad_end[i] = real ? window->pad_end[from] : 0;
    }
    return wide;
}

int64_t lip_window_span(const lip_window *window, int axis, int64_t o, int64_t *first)
{
    const int64_t d = window->dilation[axis], start = o * window->stride[axis] - window->pad_begin[axis];
    const int64_t skip = start < 0 ? (-start - 1) / d + 1 : 0; /* taps before the input */
    *first = start + skip * d;
    if (*first >= window->n[axis] || skip >= window->k[axis])
        return 0;
    return min_i64(window->k[axis] - skip, (window->n[axis] - 1 - *first) / d + 1);
}

lip_box lip_window_box(const lip_window *window, int64_t position)
{
    lip_box box;
    for (int i = 2; i >= 0; i--) {
        box.count[i] = lip_window_span(window, i, position % window->n_out[i], &box.first[i]);
        position /= window->n_out[i];
    }
    return box;
}

int64_t lip_window_row(const lip_window *window, const lip_box *box, int64_t i, int64_t j)
{
    const int64_t plane = box->first[0] + i * window->dilation[0], row = box->first[1] + j * window->dilation[1];
    return (plane * window->n[1] + row) * window->n[2] + box->first[2];
}

static lip_status check_window(const lip_node *node, const lip_window *w, int i, int64_t o, lip_error *error)
{
    int64_t first;
    if (lip_window_span(w, i, o, &first) > 0)
        return LIP_OK;
    return lip_fail_node(error, LIP_EFORMAT, node,
                         "window %" PRId64 " of axis %d holds padding alone (kernel %" PRId64 ", stride %" PRId64
                         ", padding %" PRId64 ", size %" PRId64 ")",
                         o, i + 2, w->k[i], w->stride[i], w->pad_begin[i], w->n[i]);
}

lip_status lip_window_check_not_empty(const lip_node *node, const lip_window *window, lip_error *error)
{
    for (int i = 0; i < window->dims; i++) {
        LIP_TRY(check_window(node, window, i, 0, error));
        LIP_TRY(check_window(node, window, i, window->n_out[i] - 1, error));
        /* Only taps further apart than the input is long can step over it between two windows that meet it. */
        for (int64_t o = 1; window->dilation[i] > window->n[i] && o < window->n_out[i]; o++)
            LIP_TRY(check_window(node, window, i, o, error));
    }
    return LIP_OK;
}

static int64_t common_divisor(int64_t a, int64_t b)
{
    while (b != 0) {
        const int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/*
 * Windows o with q + pad - o stride = t dilation for a tap t, counted: o in
 * [low, high] in one residue class of o * stride modulo dilation, if any.
 */
static int64_t windows_over(const lip_window *w, int i, int64_t q)
{
    const int64_t at = q + w->pad_begin[i], far = at - reach_of(w, i) + 1;
    if (at < 0)
        return 0;
    const int64_t low = far > 0 ? (far - 1) / w->stride[i] + 1 : 0;
    const int64_t high = min_i64(w->n_out[i] - 1, at / w->stride[i]);
    const int64_t period = w->dilation[i] / common_divisor(w->dilation[i], w->stride[i]);
    for (int64_t o = low; o <= high && o < low + period; o++)
        if ((at - o * w->stride[i]) % w->dilation[i] == 0)
            return (high - o) / period + 1;
    return 0;
}

int64_t lip_window_overlap(const lip_window *window)
{
    int64_t product = 1;
    for (int i = 0; i < window->dims; i++) {
        const int64_t divisor = common_divisor(window->dilation[i], window->stride[i]);
        const int64_t limit = min_i64(window->n_out[i], (window->k[i] * divisor - 1) / window->stride[i] + 1);
        int64_t most = 0;
        for (int64_t q = 0; q < window->n[i] && most < limit; q++) {
            const int64_t count = windows_over(window, i, q);
            most = count > most ? count : most;
        }
        product *= most; /* at most the number of outputs, which was checked */
    }
    return product;
}
