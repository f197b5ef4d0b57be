/*
 * finite.c: weights must be numbers.
 *
 * No bound can be proved about a network with NaN in it. Infinity in an
 * attribute may be a limit of Clip or a fill value; in a constant it may be a
 * mask, which infinite.c looks at.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "graph/model.h"

#include "op.h"

#include <math.h>
#include <string.h>

/* A block is looked at whole, which vectorises, and searched only if something is wrong in it. */
#define BLOCK 4096

static int64_t first_bad_f32(const float *x, int64_t count)
{
    for (int64_t start = 0; start < count; start += BLOCK) {
        int64_t end = count - start < BLOCK ? count : start + BLOCK;
        unsigned bad = 0;
        for (int64_t i = start; i < end; i++)
            bad |= !(fabsf(x[i]) <= 3.402823466e+38f);
        for (int64_t i = start; bad && i < end; i++)
            if (!isfinite(x[i]))
                return i;
    }
    return -1;
}

static int64_t first_bad_f64(const double *x, int64_t count)
{
    for (int64_t start = 0; start < count; start += BLOCK) {
        int64_t end = count - start < BLOCK ? count : start + BLOCK;
        unsigned bad = 0;
        for (int64_t i = start; i < end; i++)
            bad |= !(fabs(x[i]) <= 1.7976931348623157e+308);
        for (int64_t i = start; bad && i < end; i++)
            if (!isfinite(x[i]))
                return i;
    }
    return -1;
}

static int64_t first_bad(const lip_tensor *tensor)
{
    if (tensor->storage == LIP_F32)
        return first_bad_f32(tensor->f32, tensor->count);
    return tensor->storage == LIP_F64 ? first_bad_f64(tensor->f64, tensor->count) : -1;
}

static bool may_be_infinite(const lip_attr *attr)
{
    static const char *const names[] = {"min", "max", "value", "value_float", NULL};
    const char *const *name = names;
    while (*name && strcmp(*name, attr->name) != 0)
        name++;
    return *name != NULL;
}

/* Attributes of operators that are understood: what others mean is not known. */
static lip_status check_attributes(const lip_node *node, lip_error *error)
{
    for (size_t i = 0; node->op && i < node->attr_count; i++) {
        const lip_attr *attr = &node->attrs[i];
        if (attr->kind != LIP_ATTR_FLOAT || isfinite(attr->f) || (isinf(attr->f) && may_be_infinite(attr)) ||
            strcmp(attr->name, "replaced_value_float") == 0) /* Imputer: of missing values, NaN as a rule */
            continue;
        return lip_fail_node(error, LIP_EFORMAT, node, "attribute %s is %g", attr->name, (double)attr->f);
    }
    return LIP_OK;
}

lip_status lip_node_check_finite(const lip_node *node, lip_error *error)
{
    lip_status status = check_attributes(node, error);
    if (status)
        return status;
    for (size_t i = 0; i < node->input_count; i++) {
        const lip_value *value = node->inputs[i];
        if (!value || !value->constant || lip_draft_of(value)->checked)
            continue;
        lip_draft_of(value)->checked = true;
        int64_t bad = first_bad(value->constant);
        if (bad < 0)
            continue;
        while (bad < value->constant->count && !isnan(lip_tensor_real(value->constant, bad)))
            bad++;
        lip_draft_of(value)->infinite = true;
        if (bad < value->constant->count)
            return lip_fail_node(error, LIP_EFORMAT, node, "its constant '%s' holds NaN (element %lld)", value->name,
                                 (long long)bad);
    }
    return LIP_OK;
}
