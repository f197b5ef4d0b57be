/*
 * encoder.c: ai.onnx.ml's Binarizer (1 above a threshold), LabelEncoder (a
 * table of values) and OneHotEncoder: all of them jump. Strings have no value
 * here.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "elementwise.h"
#include "support.h"

#include <math.h>

static double above(double x, const double *p)
{
    return x > p[0];
}

static lip_status binarizer_forward(const lip_call *call, lip_error *error)
{
    (void)error;
    const double threshold = lip_attr_float(call->node, "threshold", 0);
    for (int64_t i = 0; call->out[0] && i < call->in[0]->count; i++) {
        double y = above(lip_tensor_real(call->in[0], i), &threshold);
        if (call->out[0]->storage == LIP_F64)
            call->out[0]->f64_room[i] = y;
        else
            call->out[0]->i64_room[i] = (int64_t)y;
    }
    return LIP_OK;
}

/* Keys or values of a LabelEncoder, in a list of floats, of ints or a tensor. */
typedef struct list {
    const lip_attr *attr;
    int64_t count;
    bool whole;
} list;

static list list_of(const lip_node *node, const char *floats, const char *ints, const char *tensor)
{
    const lip_attr *f = lip_attr_find(node, floats), *i = lip_attr_find(node, ints), *t = lip_attr_find(node, tensor);
    if (f && f->kind == LIP_ATTR_FLOATS) return (list){f, f->count, false};
    if (i && i->kind == LIP_ATTR_INTS) return (list){i, i->count, true};
    if (t && t->kind == LIP_ATTR_TENSOR && t->tensor->storage != LIP_OPAQUE)
        return (list){t, t->tensor->count, t->tensor->storage == LIP_I64};
    return (list){0};
}

static double list_at(const list *l, int64_t i)
{
    if (l->attr->kind == LIP_ATTR_FLOATS) return (double)l->attr->floats[i];
    return l->attr->kind == LIP_ATTR_INTS ? (double)l->attr->ints[i] : lip_tensor_real(l->attr->tensor, i);
}

static lip_status read_label(const lip_node *node, list *keys, list *values, lip_error *error)
{
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_check_number(node, 0, error));
    *keys = list_of(node, "keys_floats", "keys_int64s", "keys_tensor");
    *values = list_of(node, "values_floats", "values_int64s", "values_tensor");
    if (!keys->attr || !values->attr)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its keys or values are strings");
    if (keys->count != values->count)
        return lip_fail_node(error, LIP_EFORMAT, node, "it has %lld keys and %lld values", (long long)keys->count,
                             (long long)values->count);
    return LIP_OK;
}

static lip_status label_shape(const lip_node *node, lip_error *error)
{
    list keys = {0}, values = {0};
    LIP_TRY(read_label(node, &keys, &values, error));
    lip_dtype type = values.attr->kind == LIP_ATTR_TENSOR ? values.attr->tensor->dtype
                     : values.whole                       ? LIP_DTYPE_INT64
                                                          : LIP_DTYPE_FLOAT;
    return lip_set_output(node, 0, type, &node->inputs[0]->shape, error);
}

static double label_default(const lip_node *node, const list *values)
{
    const lip_attr *tensor = lip_attr_find(node, "default_tensor");
    if (tensor && tensor->kind == LIP_ATTR_TENSOR && tensor->tensor->count == 1)
        return lip_tensor_real(tensor->tensor, 0);
    if (values->whole) return (double)lip_attr_int(node, "default_int64", -1);
    return lip_attr_float(node, "default_float", -0.F);
}

static lip_status label_forward(const lip_call *call, lip_error *error)
{
    list keys = {0}, values = {0};
    LIP_TRY(read_label(call->node, &keys, &values, error));
    for (int64_t i = 0; call->out[0] && i < call->in[0]->count; i++) {
        double x = lip_tensor_real(call->in[0], i), y = label_default(call->node, &values);
        for (int64_t k = 0; k < keys.count; k++) {
            double key = list_at(&keys, k);
            if (key != x && !(isnan(key) && isnan(x))) continue;
            y = list_at(&values, k);
            break;
        }
        if (call->out[0]->storage == LIP_F64)
            call->out[0]->f64_room[i] = y;
        else
            call->out[0]->i64_room[i] = (int64_t)y;
    }
    return LIP_OK;
}

static lip_status one_hot_shape(const lip_node *node, lip_error *error)
{
    const lip_attr *categories = lip_attr_find(node, "cats_int64s");
    LIP_TRY(lip_check_inputs(node, 1, 1, error));
    LIP_TRY(lip_check_number(node, 0, error));
    if (!categories || categories->kind != LIP_ATTR_INTS)
        return lip_fail_node(error, LIP_EUNSUPPORTED, node, "its categories are strings");
    lip_shape y = node->inputs[0]->shape;
    LIP_TRY(lip_push_dim(node, &y, categories->count, error));
    return lip_set_output(node, 0, LIP_DTYPE_FLOAT, &y, error);
}

static lip_status one_hot_forward(const lip_call *call, lip_error *error)
{
    const lip_attr *categories = lip_attr_find(call->node, "cats_int64s");
    for (int64_t i = 0; call->out[0] && i < call->in[0]->count; i++) {
        bool found = false;
        for (int64_t k = 0; k < categories->count; k++) {
            bool here = trunc(lip_tensor_real(call->in[0], i)) == (double)categories->ints[k];
            call->out[0]->f64_room[i * categories->count + k] = here;
            found = found || here;
        }
        if (!found && lip_attr_int(call->node, "zeros", 1) == 0)
            return lip_fail_node(error, LIP_EUNSUPPORTED, call->node, "an element is in none of its categories");
    }
    return LIP_OK;
}

const lip_op lip_op_ml_binarizer = {
    .name = "Binarizer",
    .domain = "ai.onnx.ml",
    .opset_first = 1,
    .opset_last = LIP_OPSET_ML_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = "discontinuous: it jumps at the threshold"},
    .shape = lip_shape_of_number,
    .forward = binarizer_forward,
};

const lip_op lip_op_ml_label_encoder = {
    .name = "LabelEncoder",
    .domain = "ai.onnx.ml",
    .opset_first = 2,
    .opset_last = LIP_OPSET_ML_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = "discontinuous: it looks its input up in a table"},
    .shape = label_shape,
    .forward = label_forward,
};

const lip_op lip_op_ml_one_hot_encoder = {
    .name = "OneHotEncoder",
    .domain = "ai.onnx.ml",
    .opset_first = 1,
    .opset_last = LIP_OPSET_ML_LAST,
    .gain = {.kind = LIP_GAIN_UNBOUNDED, .reason = "discontinuous: its result jumps with the category"},
    .shape = one_hot_shape,
    .forward = one_hot_forward,
};
