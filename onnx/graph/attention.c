/*
 * attention.c: see attention.h. With q [B, H, T, d], k and v [B, G, S, d] (a
 * past of keys and values in front, G heads each serving H / G):
 *   y = softmax(scale q k' + mask) v,  scale = 1 / sqrt(d) unless given,
 * and scores c tanh(score / c) instead where softcap c is given. Three axes:
 * the heads lie side by side in the last one.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "attention.h"

#include "op.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct attention {
    lip_draft *draft;
    lip_node *node;
    lip_error *error;
    lip_status status;
    int64_t batch, heads, groups, rows, columns, size, value_size; /* B, H, G, T, S with the past, d, d of v */
    double scale, softcap;
    bool flat, causal; /* flat: three axes */
    int64_t past;
} attention;

static const lip_shape *shape_of(const lip_node *node, size_t index)
{
    const lip_value *value = lip_node_input(node, index);
    return value && value->shape_known ? &value->shape : NULL;
}

bool lip_is_attention(const lip_node *node)
{
    if (node->domain[0] != '\0' || strcmp(node->op_type, "Attention") != 0 || node->unknown || node->opset < 23 ||
        !node->op || node->opset > node->op->opset_last)
        return false;
    for (size_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] && !node->inputs[i]->shape_known)
            return false;
    return true;
}

/* A new value; what makes it comes right after. */
static lip_value *hidden(attention *a, lip_dtype dtype)
{
    char name[64];
    snprintf(name, sizeof name, "attention#%zu", a->draft->value_count);
    while (lip_draft_find(a->draft, name))
        strncat(name, "#", sizeof name - strlen(name) - 1);
    lip_draft_value *made = lip_draft_value_named(a->draft, name);
    if (!made) {
        a->status = lip_fail_memory(a->error, a->node, "its parts");
        return NULL;
    }
    made->value.dtype = dtype;
    made->defined = true;
    return &made->value;
}

static lip_value *constant(attention *a, lip_dtype dtype, const lip_shape *shape, const void *elements)
{
    lip_arena *arena = &a->draft->model->arena;
    lip_value *value = a->status ? NULL : hidden(a, dtype);
    lip_tensor *tensor = lip_arena_alloc(arena, 1, sizeof *tensor);
    int64_t count = 0;
    lip_shape_count(shape, &count);
    void *copy = lip_arena_alloc(arena, count, sizeof(double));
    if (!value || !tensor || !copy) {
        a->status = a->status ? a->status : lip_fail_memory(a->error, a->node, "its parts");
        return NULL;
    }
    memcpy(copy, elements, (size_t)count * sizeof(double));
    *tensor = (lip_tensor){.dtype = dtype, .storage = dtype == LIP_DTYPE_INT64 ? LIP_I64 : LIP_F64, .shape = *shape,
                           .count = count, .data = copy};
    value->shape = *shape;
    value->shape_known = true;
    value->constant = tensor;
    return value;
}

static lip_value *real(attention *a, double x)
{
    const lip_shape scalar = {0};
    return constant(a, a->node->inputs[0]->dtype, &scalar, &x);
}

static lip_value *list(attention *a, int64_t n, const int64_t *numbers)
{
    const lip_shape shape = {.rank = 1, .dim = {n}};
    return constant(a, LIP_DTYPE_INT64, &shape, numbers);
}

/* Appends out = op(x, y) (y may be NULL), and returns out; a new value where it is NULL. */
static lip_value *append(attention *a, const char *op, lip_value *x, lip_value *y, const lip_attr *attr,
                         lip_value *out)
{
    lip_arena *arena = &a->draft->model->arena;
    if (a->status || !x)
        return NULL;
    out = out ? out : hidden(a, x->dtype);
    lip_draft_node *made = lip_arena_alloc(arena, 1, sizeof *made);
    lip_value **values = lip_arena_alloc(arena, 3, sizeof *values);
    lip_attr *copy = lip_arena_alloc(arena, 1, sizeof *copy);
    if (!out || !made || !values || !copy) {
        a->status = a->status ? a->status : lip_fail_memory(a->error, a->node, "its parts");
        return NULL;
    }
    values[0] = x;
    values[1] = y;
    values[2] = out;
    *copy = attr ? *attr : (lip_attr){.name = ""};
    made->op_text = op;
    made->live = true;
    made->scope = lip_draft_of_node(a->node)->scope;
    made->node = (lip_node){.name = a->node->name, .op_type = op, .domain = "", .module = a->node->module, .opset = 14,
                            .op = lip_op_find("", op), .inputs = values, .input_count = y ? 2 : 1,
                            .outputs = values + 2, .output_count = 1, .attrs = copy, .attr_count = attr ? 1 : 0};
    out->producer = &made->node;
    out->varies = x->varies || (y && y->varies);
    a->status = lip_draft_append(a->draft, &made->node, a->error);
    return out;
}

static lip_value *transposed(attention *a, lip_value *x, const int64_t *order, lip_value *out)
{
    int64_t *kept = lip_arena_alloc(&a->draft->model->arena, 4, sizeof *kept);
    if (!kept) {
        a->status = lip_fail_memory(a->error, a->node, "its parts");
        return NULL;
    }
    memcpy(kept, order, 4 * sizeof *kept);
    const lip_attr perm = {.name = "perm", .kind = LIP_ATTR_INTS, .count = 4, .ints = kept};
    return append(a, "Transpose", x, NULL, &perm, out);
}

static lip_value *reshaped(attention *a, lip_value *x, int64_t n, const int64_t *dims, lip_value *out)
{
    return append(a, "Reshape", x, list(a, n, dims), NULL, out);
}

/* [B, T, H d] to [B, H, T, d]. */
static lip_value *split_heads(attention *a, lip_value *x, int64_t heads)
{
    const int64_t rows = x->shape.dim[1], size = x->shape.dim[2] / heads;
    if (!a->flat)
        return x;
    lip_value *apart = reshaped(a, x, 4, (const int64_t[]){a->batch, rows, heads, size}, NULL);
    return transposed(a, apart, (const int64_t[]){0, 2, 1, 3}, NULL);
}

/* `past` in front of x along the rows, in output `index` where that is wanted. */
static lip_value *with_past(attention *a, lip_value *x, size_t past, size_t output)
{
    const lip_attr axis = {.name = "axis", .kind = LIP_ATTR_INT, .i = 2};
    lip_value *before = lip_node_input(a->node, past), *out = lip_node_output(a->node, output);
    if (before)
        return append(a, "Concat", before, x, &axis, out);
    return out ? append(a, "Identity", x, NULL, NULL, out) : x;
}

/* Each of G heads H / G times: [B, G, S, d] to [B, H, S, d]. */
static lip_value *repeated(attention *a, lip_value *x, int64_t size)
{
    const int64_t each = a->heads / a->groups;
    if (each == 1)
        return x;
    lip_value *apart = reshaped(a, x, 5, (const int64_t[]){a->batch, a->groups, 1, a->columns, size}, NULL);
    lip_value *copies =
        append(a, "Expand", apart, list(a, 5, (const int64_t[]){1, 1, each, 1, 1}), NULL, NULL);
    return reshaped(a, copies, 4, (const int64_t[]){a->batch, a->heads, a->columns, size}, NULL);
}

/* -infinity above the diagonal, which the past moves to the right. */
static lip_value *causal_mask(attention *a)
{
    const lip_shape shape = {.rank = 2, .dim = {a->rows, a->columns}};
    int64_t count = 0;
    double *mask = lip_shape_count(&shape, &count) ? lip_arena_alloc(&a->draft->scratch, count, sizeof *mask) : NULL;
    if (!mask) {
        a->status = lip_fail_memory(a->error, a->node, "its mask");
        return NULL;
    }
    for (int64_t i = 0; i < count; i++)
        mask[i] = i % a->columns > i / a->columns + a->past ? -(double)INFINITY : 0;
    return constant(a, a->node->inputs[0]->dtype, &shape, mask);
}

static lip_value *masked(attention *a, lip_value *scores)
{
    lip_value *mask = lip_node_input(a->node, 3);
    if (mask && mask->dtype == LIP_DTYPE_BOOL) {
        lip_value *least = real(a, -(double)INFINITY), *zero = real(a, 0);
        lip_value *out = append(a, "Where", mask, zero, NULL, NULL);
        if (out) { /* a third input */
            lip_value **in = lip_arena_alloc(&a->draft->model->arena, 3, sizeof *in);
            if (!in) {
                a->status = lip_fail_memory(a->error, a->node, "its mask");
                return NULL;
            }
            in[0] = mask;
            in[1] = zero;
            in[2] = least;
            out->producer->inputs = in;
            out->producer->input_count = 3;
            out->dtype = zero->dtype;
        }
        mask = out;
    }
    if (mask && mask->dtype != a->node->inputs[0]->dtype) {
        const lip_attr to = {.name = "to", .kind = LIP_ATTR_INT, .i = a->node->inputs[0]->dtype};
        mask = append(a, "Cast", mask, NULL, &to, NULL);
    }
    if (mask)
        scores = append(a, "Add", scores, mask, NULL, NULL);
    return a->causal && a->columns > 0 ? append(a, "Add", scores, causal_mask(a), NULL, NULL) : scores;
}

static lip_status read_shapes(attention *a)
{
    const lip_node *node = a->node;
    const lip_shape *q = shape_of(node, 0), *k = shape_of(node, 1), *v = shape_of(node, 2);
    const lip_shape *past_k = shape_of(node, 4), *past_v = shape_of(node, 5);
    int64_t kv = lip_attr_int(node, "kv_num_heads", 0);
    if (!q || !k || !v || (q->rank != 3 && q->rank != 4) || k->rank != q->rank || v->rank != q->rank)
        return lip_fail_node(a->error, LIP_EFORMAT, node, "queries, keys and values are not of three or four axes");
    a->flat = q->rank == 3;
    a->heads = a->flat ? lip_attr_int(node, "q_num_heads", 0) : q->dim[1];
    a->groups = a->flat ? kv : k->dim[1];
    if (a->heads < 1 || a->groups < 1 || a->heads % a->groups != 0 || (!a->flat && v->dim[1] != a->groups))
        return lip_fail_node(a->error, LIP_EFORMAT, node, "its numbers of heads do not fit");
    int last = q->rank - 1, rows = q->rank - 2;
    a->batch = q->dim[0];
    a->rows = q->dim[rows];
    a->size = a->flat ? q->dim[last] / a->heads : q->dim[last];
    a->value_size = a->flat ? v->dim[last] / a->groups : v->dim[last];
    a->past = past_k && past_k->rank == 4 ? past_k->dim[2] : 0;
    a->columns = k->dim[rows] + a->past;
    bool fits = k->dim[0] == a->batch && v->dim[0] == a->batch && v->dim[rows] == k->dim[rows] &&
                (a->flat ? q->dim[last] == a->size * a->heads && k->dim[last] == a->size * a->groups &&
                               v->dim[last] == a->value_size * a->groups
                         : k->dim[last] == a->size);
    if (!fits || !past_k != !past_v || (past_k && (past_k->rank != 4 || past_v->rank != 4)))
        return lip_fail_node(a->error, LIP_EFORMAT, node, "its queries, keys and values do not fit each other");
    return LIP_OK;
}

/* Newer opsets add attributes (windows) that change what is computed. */
static const char *unknown_attribute(const lip_node *node)
{
    static const char *const known[] = {"is_causal", "kv_num_heads", "q_num_heads",       "qk_matmul_output_mode",
                                        "scale",     "softcap",      "softmax_precision", NULL};
    for (size_t i = 0; i < node->attr_count; i++) {
        const char *const *name = known;
        while (*name && strcmp(*name, node->attrs[i].name) != 0)
            name++;
        if (!*name)
            return node->attrs[i].name;
    }
    return NULL;
}

static lip_status read_attention(attention *a)
{
    const lip_node *node = a->node;
    const char *unknown = unknown_attribute(node);
    if (unknown)
        return lip_fail_node(a->error, LIP_EUNSUPPORTED, node, "attribute %s is not supported", unknown);
    lip_status status = read_shapes(a);
    if (status)
        return status;
    a->scale = lip_attr_find(node, "scale") ? lip_attr_float(node, "scale", 0) : 1 / sqrt((double)a->size);
    a->softcap = lip_attr_float(node, "softcap", 0);
    a->causal = lip_attr_int(node, "is_causal", 0) != 0;
    if (lip_node_input(node, 6) || lip_node_output(node, 3))
        return lip_fail_node(a->error, LIP_EUNSUPPORTED, node, "%s is not supported",
                             lip_node_input(node, 6) ? "a length of the keys without padding (nonpad_kv_seqlen)"
                                                     : "its output of the scores (qk_matmul_output)");
    for (size_t i = 0; i < 3; i++)
        if (!lip_dtype_is_real(node->inputs[i]->dtype))
            return lip_fail_node(a->error, LIP_EUNSUPPORTED, node, "its input '%s' is not floating-point",
                                 node->inputs[i]->name);
    return LIP_OK;
}

lip_status lip_split_attention(lip_draft *draft, lip_node *node, lip_error *error)
{
    static const int64_t swap[] = {0, 1, 3, 2}, back[] = {0, 2, 1, 3};
    attention a = {.draft = draft, .node = node, .error = error};
    const lip_attr axis = {.name = "axis", .kind = LIP_ATTR_INT, .i = -1};
    a.status = read_attention(&a);
    if (a.status)
        return a.status;
    lip_value *y = lip_node_output(node, 0);
    lip_value *q = split_heads(&a, node->inputs[0], a.heads);
    lip_value *k = with_past(&a, split_heads(&a, node->inputs[1], a.groups), 4, 1);
    lip_value *v = with_past(&a, split_heads(&a, node->inputs[2], a.groups), 5, 2);
    k = transposed(&a, repeated(&a, k, a.size), swap, NULL);
    lip_value *scores = append(&a, "MatMul", append(&a, "Mul", q, real(&a, a.scale), NULL, NULL), k, NULL, NULL);
    if (a.softcap != 0) {
        scores = append(&a, "Div", scores, real(&a, a.softcap), NULL, NULL);
        scores = append(&a, "Mul", append(&a, "Tanh", scores, NULL, NULL, NULL), real(&a, a.softcap), NULL, NULL);
    }
    scores = append(&a, "Softmax", masked(&a, scores), NULL, &axis, NULL);
    v = repeated(&a, v, a.value_size);
    if (!a.flat) {
        append(&a, "MatMul", scores, v, NULL, y);
        return a.status;
    }
    lip_value *heads = transposed(&a, append(&a, "MatMul", scores, v, NULL, NULL), back, NULL);
    reshaped(&a, heads, 3, (const int64_t[]){a.batch, a.rows, a.heads * a.value_size}, y);
    return a.status;
}
