/*
 * fuse_norm.c: layer, group and RMS normalisation as exporters write them
 * where the opset has no operator. With d = x - mean(x) (or x itself) and
 * r = sqrt(mean(d^2) + eps) over the same axes, the forms are
 *   d / r,  d (1 / r),  d ((1 / r) g),  x m + (b - mean(x) m)  with m = 1 / r or (1 / r) g,
 * the last one Keras's; a mean or a factor may be expanded first. The nodes at the end become Standardize, a product
 * with g and a sum with b, as many as there are.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fuse.h"

#include "op.h"
#include "ops/fused.h"

#include <string.h>

typedef struct norm {
    lip_value *x;
    const lip_value *mean; /* NULL: not centred */
    const lip_value *centred; /* d */
    int64_t axes[LIP_MAX_RANK];
    int64_t axis_count;
    double eps;
} norm;

/* What `value` is made of by nodes that leave elements where they are, or repeat them as broadcasting does. */
static const lip_value *through(const lip_value *value)
{
    for (;;) {
        const lip_node *node = lip_made_by(value, "Reshape");
        if (node && !lip_shape_equal(&node->inputs[0]->shape, &value->shape))
            node = NULL;
        if (!node)
            node = lip_made_by(value, "Expand");
        if (!node)
            return value;
        value = node->inputs[0];
    }
}

/* y = mean of its input over `axes`, kept as dimensions of 1. */
static const lip_node *read_mean(const lip_value *value, int64_t *axes, int64_t *count)
{
    const lip_node *node = lip_made_by(through(value), "ReduceMean");
    const lip_value *x = node ? lip_node_input(node, 0) : NULL;
    const lip_tensor *given = node && node->opset >= 18 ? lip_node_constant(node, 1) : NULL;
    if (!x || !x->shape_known || node->outputs[0]->shape.rank != x->shape.rank)
        return NULL;
    int64_t listed = given && given->storage == LIP_I64 ? given->count : 0;
    const int64_t *list = listed > 0 ? given->i64 : NULL;
    if (node->opset < 18) /* from then on the attribute means nothing; before, the input */
        list = lip_attr_ints(node, "axes", &listed);
    if (listed < 1 || listed > LIP_MAX_RANK)
        return NULL;
    bool mask[LIP_MAX_RANK] = {false};
    for (int64_t i = 0; i < listed; i++) /* checked when its shape was found */
        mask[list[i] < 0 ? list[i] + x->shape.rank : list[i]] = true;
    *count = 0;
    for (int axis = 0; axis < x->shape.rank; axis++)
        if (mask[axis])
            axes[(*count)++] = axis;
    return node;
}

static bool same_axes(const norm *n, const int64_t *axes, int64_t count)
{
    return count == n->axis_count && memcmp(axes, n->axes, (size_t)count * sizeof *axes) == 0;
}

/* What is squared; NULL if `value` is not a square. */
static lip_value *root_of(const lip_value *value)
{
    double s;
    const lip_node *pow = lip_made_by(value, "Pow"), *mul = lip_made_by(value, "Mul");
    if (pow && lip_is_scalar(pow->inputs[1], &s) && s == 2)
        return pow->inputs[0];
    return mul && mul->inputs[0] == mul->inputs[1] ? mul->inputs[0] : NULL;
}

/* d = x - mean(x), or anything else. */
static void read_centred(lip_value *d, norm *n)
{
    int64_t axes[LIP_MAX_RANK], count;
    const lip_node *sub = lip_made_by(d, "Sub");
    const lip_node *mean = sub ? read_mean(sub->inputs[1], axes, &count) : NULL;
    n->centred = n->x = d;
    if (!mean || mean->inputs[0] != sub->inputs[0] || !same_axes(n, axes, count))
        return;
    n->x = sub->inputs[0];
    n->mean = mean->outputs[0];
}

/* mean(d^2) + eps, of an x that its normalised form has the shape of. */
static bool read_variance(const lip_value *value, norm *n)
{
    const lip_node *add = lip_made_by(value, "Add");
    if (!add || add->input_count != 2)
        return false;
    int eps = lip_is_scalar(add->inputs[0], &n->eps) ? 0 : lip_is_scalar(add->inputs[1], &n->eps) ? 1 : -1;
    if (eps < 0 || !(n->eps > 0))
        return false;
    const lip_node *mean = read_mean(add->inputs[1 - eps], n->axes, &n->axis_count);
    lip_value *d = mean ? root_of(mean->inputs[0]) : NULL;
    if (!d || !lip_shape_equal(&d->shape, &mean->inputs[0]->shape))
        return false;
    read_centred(d, n);
    return n->x->varies && lip_dtype_is_real(n->x->dtype) && lip_shape_equal(&n->x->shape, &d->shape);
}

static bool read_deviation(const lip_value *value, norm *n)
{
    double s;
    const lip_node *root = lip_made_by(value, "Sqrt"), *pow = lip_made_by(value, "Pow");
    if (root)
        return read_variance(root->inputs[0], n);
    return pow && lip_is_scalar(pow->inputs[1], &s) && s == 0.5 && read_variance(pow->inputs[0], n);
}

static bool read_inverse(const lip_value *value, norm *n)
{
    double s;
    value = through(value);
    const lip_node *reciprocal = lip_made_by(value, "Reciprocal"), *div = lip_made_by(value, "Div");
    const lip_node *pow = lip_made_by(value, "Pow");
    if (reciprocal)
        return read_deviation(reciprocal->inputs[0], n);
    if (div)
        return lip_is_scalar(div->inputs[0], &s) && s == 1 && read_deviation(div->inputs[1], n);
    return pow && lip_is_scalar(pow->inputs[1], &s) && s == -0.5 && read_variance(pow->inputs[0], n);
}

/* m = 1 / r, or the product of 1 / r and the constant *gamma, in node *product. */
static bool read_factor(const lip_value *m, norm *n, lip_value **gamma, lip_node **product)
{
    *gamma = NULL;
    *product = NULL;
    if (read_inverse(m, n))
        return true;
    const lip_node *mul = lip_made_by(m, "Mul");
    if (!mul)
        return false;
    int constant = mul->inputs[0]->constant ? 0 : 1;
    *gamma = mul->inputs[constant];
    *product = (lip_node *)mul;
    return (*gamma)->constant && read_inverse(mul->inputs[1 - constant], n);
}

static lip_status standardize(lip_draft *draft, lip_node *node, const norm *n, lip_error *error)
{
    int64_t *axes = lip_arena_alloc(&draft->model->arena, n->axis_count, sizeof *axes);
    if (!axes)
        return lip_fail_memory(error, node, "its axes");
    memcpy(axes, n->axes, (size_t)n->axis_count * sizeof *axes);
    const lip_attr attrs[] = {
        {.name = "axes", .kind = LIP_ATTR_INTS, .count = n->axis_count, .ints = axes},
        {.name = "centred", .kind = LIP_ATTR_INT, .i = n->mean != NULL},
    };
    node->outputs[0]->shape = n->x->shape;
    return lip_fuse_into(draft, node, &lip_op_standardize, n->x, lip_draft_reals(draft, node->outputs[0], &n->eps, 1),
                         attrs, 2, error);
}

/* node = op(x, y) with an operator of two inputs. */
static lip_status become(lip_draft *draft, lip_node *node, const char *op, lip_value *x, lip_value *y,
                         lip_error *error)
{
    node->outputs[0]->shape = x->shape;
    node->opset = 14;
    lip_draft_of_node(node)->op_text = op;
    return lip_fuse_into(draft, node, lip_op_find("", op), x, y, NULL, 0, error);
}

/* The shapes of scale and shift do not enlarge x. */
static bool fits(const lip_value *parameter, const lip_shape *x)
{
    lip_shape y;
    return !parameter || (parameter->shape_known && lip_shape_broadcast(x, &parameter->shape, &y) &&
                          lip_shape_equal(&y, x));
}

/* d / r, d (1 / r), d ((1 / r) g) */
static lip_status fuse_quotient(lip_draft *draft, lip_node *node, lip_error *error)
{
    bool div = strcmp(node->op_type, "Div") == 0;
    for (int i = div ? 1 : 0; i < 2; i++) {
        norm n = {0};
        lip_value *gamma = NULL;
        lip_node *product = NULL;
        const lip_value *m = node->inputs[i], *d = node->inputs[1 - i];
        if (!(div ? read_deviation(m, &n) : read_factor(m, &n, &gamma, &product)) || d != n.centred ||
            !lip_shape_equal(&n.x->shape, &node->outputs[0]->shape) || !fits(gamma, &n.x->shape))
            continue;
        if (!gamma)
            return standardize(draft, node, &n, error);
        if (product->outputs[0]->consumers != 1)
            continue;
        lip_status status = standardize(draft, product, &n, error);
        return status ? status : become(draft, node, "Mul", product->outputs[0], gamma, error);
    }
    return LIP_OK;
}

/* The node that computes mean(x) m, and with which sign `value` holds it; *shift: what it is subtracted from. */
static const lip_node *read_offset(const lip_value *value, const lip_value *m, const norm *n, double *sign,
                                   lip_value **shift)
{
    const lip_node *sub = lip_made_by(value, "Sub");
    *shift = sub ? sub->inputs[0] : NULL;
    *sign = sub ? -1 : 1;
    const lip_node *mul = lip_made_by(sub ? sub->inputs[1] : value, "Mul");
    if (!mul || (mul->inputs[0] != m && mul->inputs[1] != m))
        return NULL;
    const lip_value *mean = mul->inputs[mul->inputs[0] == m];
    const lip_node *neg = lip_made_by(mean, "Neg");
    if (neg)
        *sign = -*sign;
    return through(neg ? neg->inputs[0] : mean) == n->mean ? mul : NULL;
}

/* product = x m: is `node` = product - mean(x) m, plus *shift perhaps? */
static bool read_affine(const lip_node *node, int product_at, norm *n, lip_value **gamma, lip_node **product,
                        lip_value **shift)
{
    const lip_node *p = lip_made_by(node->inputs[product_at], "Mul");
    bool minus = strcmp(node->op_type, "Sub") == 0;
    double sign;
    for (int i = 0; p && i < 2; i++) {
        *n = (norm){0};
        if (!read_factor(p->inputs[i], n, gamma, product) || !n->mean || p->inputs[1 - i] != n->x)
            continue;
        return read_offset(node->inputs[1 - product_at], p->inputs[i], n, &sign, shift) &&
               (minus ? sign == 1 && !*shift : sign == -1);
    }
    return false;
}

static lip_status fuse_affine(lip_draft *draft, lip_node *node, lip_error *error)
{
    bool minus = strcmp(node->op_type, "Sub") == 0;
    for (int i = 0; i < (minus ? 1 : 2); i++) {
        norm n;
        lip_value *gamma, *shift;
        lip_node *product;
        if (!read_affine(node, i, &n, &gamma, &product, &shift) || !fits(gamma, &n.x->shape) ||
            !fits(shift, &n.x->shape) || !lip_shape_equal(&n.x->shape, &node->outputs[0]->shape))
            continue;
        lip_node *scaled = node->inputs[i]->producer;
        bool alone = scaled->outputs[0]->consumers == 1 && (!gamma || product->outputs[0]->consumers == 2);
        if (!alone)
            continue;
        lip_node *last = shift ? scaled : node; /* of standardising and scaling */
        lip_node *first = !gamma ? last : shift ? product : scaled;
        lip_status status = standardize(draft, first, &n, error);
        if (!status && gamma)
            status = become(draft, last, "Mul", first->outputs[0], gamma, error);
        if (!status && shift)
            status = become(draft, node, "Add", last->outputs[0], shift, error);
        return status;
    }
    return LIP_OK;
}

lip_status lip_fuse_norm(lip_draft *draft, lip_node *node, lip_error *error)
{
    if (strcmp(node->op_type, "Div") == 0 || strcmp(node->op_type, "Mul") == 0)
        return fuse_quotient(draft, node, error);
    if (strcmp(node->op_type, "Add") == 0 || strcmp(node->op_type, "Sub") == 0)
        return fuse_affine(draft, node, error);
    return LIP_OK;
}
