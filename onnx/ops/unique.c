/*
 * unique.c: Unique: the different elements, or slices along an axis, of a
 * constant. What depends on the input has no shape that is known before.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "slices.h"
#include "support.h"

#include <string.h>

typedef struct uniques {
    const lip_tensor *x;
    int axis;                      /* -1: over all elements */
    int64_t outer, count, inner;   /* slices [outer, count, inner] */
    bool sorted;
    int64_t found;
    int64_t *first, *group, *times; /* of each kind: its first slice, and how many; of each slice: its kind */
} uniques;

static int compare(const uniques *u, int64_t a, int64_t b)
{
    for (int64_t o = 0; o < u->outer; o++)
        for (int64_t i = 0; i < u->inner; i++) {
            const int64_t at = (o * u->count + a) * u->inner + i, other = (o * u->count + b) * u->inner + i;
            if (u->x->storage == LIP_I64 && u->x->i64[at] != u->x->i64[other])
                return u->x->i64[at] < u->x->i64[other] ? -1 : 1;
            const double x = lip_tensor_real(u->x, at), y = lip_tensor_real(u->x, other);
            if (u->x->storage != LIP_I64 && x != y) return x < y ? -1 : 1;
        }
    return 0;
}

/* Heap sort of slice numbers by content, then by number. */
static bool before(const uniques *u, int64_t a, int64_t b)
{
    int order = compare(u, a, b);
    return order < 0 || (order == 0 && a < b);
}

static void sift(const uniques *u, int64_t *list, int64_t root, int64_t count)
{
    for (int64_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && before(u, list[child], list[child + 1])) child++;
        if (!before(u, list[root], list[child])) return;
        int64_t other = list[root];
        list[root] = list[child];
        list[child] = other;
    }
}

static void sort(const uniques *u, int64_t *list, int64_t count)
{
    for (int64_t i = count / 2; i-- > 0;) sift(u, list, i, count);
    for (int64_t end = count; end-- > 1;) {
        int64_t other = list[0];
        list[0] = list[end];
        list[end] = other;
        sift(u, list, 0, end);
    }
}

/* Kinds in the order of their first slices, where they are not sorted. */
static void reorder(uniques *u, int64_t *order, int64_t *rank)
{
    int64_t next = 0;
    for (int64_t k = 0; k < u->found; k++) rank[k] = -1;
    for (int64_t i = 0; i < u->count; i++)
        if (rank[u->group[i]] < 0) rank[u->group[i]] = next++;
    for (int64_t i = 0; i < u->count; i++) u->group[i] = rank[u->group[i]];
    for (int64_t k = 0; k < u->found; k++) order[k] = 0;
    for (int64_t i = u->count; i-- > 0;) u->first[u->group[i]] = i;
    for (int64_t i = 0; i < u->count; i++) order[u->group[i]]++;
    memcpy(u->times, order, (size_t)u->found * sizeof *order);
}

static lip_status find(const lip_node *node, uniques *u, lip_memory *memory, lip_error *error)
{
    int64_t *block = lip_alloc(memory, u->count, 5 * sizeof *block), *order, *rank;
    if (!block) return lip_fail_memory(error, node, "its order");
    u->first = block;
    u->group = block + u->count;
    u->times = block + 2 * u->count;
    order = block + 3 * u->count;
    rank = block + 4 * u->count;
    for (int64_t i = 0; i < u->count; i++) order[i] = i;
    sort(u, order, u->count);
    for (int64_t i = 0; i < u->count; i++) {
        if (i == 0 || compare(u, order[i - 1], order[i]) != 0) {
            u->first[u->found] = order[i];
            u->times[u->found++] = 0;
        }
        u->group[order[i]] = u->found - 1;
        u->times[u->found - 1]++;
    }
    if (!u->sorted) reorder(u, order, rank);
    return LIP_OK;
}

static lip_status read(const lip_node *node, const lip_tensor *x, uniques *out, lip_error *error)
{
    uniques u = {.x = x, .axis = -1, .outer = 1, .count = x->count, .inner = 1};
    u.sorted = lip_attr_int(node, "sorted", 1) != 0;
    if (lip_attr_find(node, "axis")) {
        LIP_TRY(lip_check_axis(node, lip_attr_int(node, "axis", 0), x->shape.rank, &u.axis, error));
        const lip_slices s = lip_slices_around(&x->shape, u.axis, u.axis + 1);
        u.outer = s.outer;
        u.count = s.count;
        u.inner = s.inner;
    }
    *out = u;
    return LIP_OK;
}

/* The number of kinds is counted with memory that no lip_call owns: an account of its own, as large as the input. */
static lip_status shape(const lip_node *node, lip_error *error)
{
    const lip_tensor *x = NULL;
    uniques u;
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_check_number(node, 0, error));
    LIP_TRY(lip_need_constant(node, 0, "input (how many elements there are depends on it)", &x, error));
    LIP_TRY(read(node, x, &u, error));
    lip_memory memory;
    lip_memory_init(&memory, (uint64_t)u.count * 40 + 4096);
    LIP_TRY(find(node, &u, &memory, error));
    lip_free(&memory, u.first);
    lip_shape y = x->shape, list = {.rank = 1, .dim = {u.found}}, all = {.rank = 1, .dim = {u.count}};
    if (u.axis >= 0) y.dim[u.axis] = u.found;
    LIP_TRY(lip_set_output(node, 0, node->inputs[0]->dtype, u.axis >= 0 ? &y : &list, error));
    LIP_TRY(lip_set_output(node, 1, LIP_DTYPE_INT64, &list, error));
    LIP_TRY(lip_set_output(node, 2, LIP_DTYPE_INT64, &all, error));
    return lip_set_output(node, 3, LIP_DTYPE_INT64, &list, error);
}

static void fill_list(const lip_call *call, size_t index, const int64_t *list)
{
    if (index < call->node->output_count && call->out[index])
        memcpy(call->out[index]->room, list, (size_t)call->out[index]->count * sizeof *list);
}

static lip_status forward(const lip_call *call, lip_error *error)
{
    uniques u;
    LIP_TRY(read(call->node, call->in[0], &u, error));
    LIP_TRY(find(call->node, &u, call->memory, error));
    for (int64_t o = 0; call->out[0] && o < u.outer; o++)
        for (int64_t k = 0; k < u.found; k++)
            memcpy(call->out[0]->i64_room + (o * u.found + k) * u.inner,
                   call->in[0]->i64 + (o * u.count + u.first[k]) * u.inner, (size_t)u.inner * sizeof(int64_t));
    fill_list(call, 1, u.first);
    fill_list(call, 2, u.group);
    fill_list(call, 3, u.times);
    lip_free(call->memory, u.first);
    return LIP_OK;
}

const lip_op lip_op_unique = {
    .name = "Unique",
    .domain = "",
    .opset_first = 11,
    .opset_last = LIP_OPSET_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = "discontinuous: it compares elements"},
    .shape = shape,
    .forward = forward,
};
