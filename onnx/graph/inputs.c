/*
 * inputs.c: which inputs are perturbed, and how large they are.
 *
 * A first dimension that is not fixed is taken for the batch and becomes 1,
 * with a remark; every other one must be given.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "graph/model.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

lip_status lip_model_mark_inputs(lip_draft *draft, const lip_load_options *options, lip_error *error)
{
    const char *wanted = options->input;
    bool found = false;
    for (size_t i = 0; i < draft->input_count; i++) {
        lip_value *value = &draft->inputs[i].value->value;
        bool is_real = lip_dtype_is_real(value->dtype);
        bool named = wanted && strcmp(value->name, wanted) == 0;
        if (named && !is_real)
            return lip_fail(error, LIP_EUSAGE, "input '%s' holds %s: only a floating-point input can be perturbed",
                            wanted, lip_dtype_name(value->dtype));
        found = found || named;
        value->varies = is_real && (!wanted || named);
    }
    if (!wanted || found)
        return LIP_OK;
    const lip_draft_value *other = lip_draft_find(draft, wanted);
    if (other && other->defined)
        return lip_fail(error, LIP_EUSAGE, "'%s' is not an input of the model, but a tensor inside it", wanted);
    return lip_fail(error, LIP_EUSAGE, "the model has no input '%s'", wanted);
}

static const lip_input_shape *given_shape(const lip_load_options *options, const char *name)
{
    for (size_t i = options->shape_count; i-- > 0;)
        if (strcmp(options->shapes[i].name, name) == 0)
            return &options->shapes[i];
    return NULL;
}

static lip_status check_given(const lip_draft *draft, const lip_input_shape *given, lip_error *error)
{
    for (size_t i = 0; i < draft->input_count; i++) {
        const lip_draft_input *input = &draft->inputs[i];
        if (strcmp(input->value->value.name, given->name) != 0)
            continue;
        int64_t count;
        if (!lip_shape_count(&given->shape, &count))
            return lip_fail(error, LIP_EUSAGE, "the shape given for input '%s' is not one", given->name);
        if (input->has_shape && input->rank != given->shape.rank)
            return lip_fail(error, LIP_EUSAGE, "input '%s' has %d dimensions, the given shape has %d", given->name,
                            input->rank, given->shape.rank);
        return LIP_OK;
    }
    return lip_fail(error, LIP_EUSAGE, "a shape is given for '%s', but the model has no input of that name",
                    given->name);
}

/* The declared shape as it would be given: "1xCx224x224", with the first axis 1. */
static void example_shape(const lip_draft_input *input, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (int axis = 0; axis < input->rank && used < size; axis++) {
        const char *cross = axis ? "x" : "";
        int written;
        if (input->dim[axis] > 0)
            written = snprintf(text + used, size - used, "%s%" PRId64, cross, input->dim[axis]);
        else if (axis == 0)
            written = snprintf(text, size, "1");
        else
            written = snprintf(text + used, size - used, "%s<%.20s>", cross,
                               input->symbol[axis] ? input->symbol[axis] : "size");
        used += written > 0 ? (size_t)written : 0;
    }
}

static lip_status ask_for_shape(const lip_draft_input *input, int axis, lip_error *error)
{
    const char *name = input->value->value.name;
    char example[256];
    example_shape(input, example, sizeof example);
    if (input->symbol[axis])
        return lip_fail(error, LIP_EUSAGE,
                        "input '%s' has the symbolic dimension '%s' (axis %d): give --input-shape %s:%s", name,
                        input->symbol[axis], axis, name, example);
    return lip_fail(error, LIP_EUSAGE,
                    "input '%s' has a dimension of no fixed size (axis %d): give --input-shape %s:%s", name, axis, name,
                    example);
}

static lip_status declared_shape(lip_model *model, const lip_draft_input *input, lip_shape *out, lip_error *error)
{
    const char *name = input->value->value.name;
    lip_shape shape = {.rank = input->rank};
    for (int axis = 0; axis < input->rank; axis++) {
        shape.dim[axis] = input->dim[axis];
        if (input->dim[axis] > 0)
            continue;
        if (axis > 0)
            return ask_for_shape(input, axis, error);
        shape.dim[0] = 1;
        if (input->symbol[0])
            lip_model_remark(model, "input '%s': the batch dimension '%s' was set to 1", name, input->symbol[0]);
        else
            lip_model_remark(model, "input '%s': the batch dimension, which has no fixed size, was set to 1", name);
    }
    int64_t count;
    if (!lip_shape_count(&shape, &count))
        return lip_fail(error, LIP_EFORMAT, "input '%s': the product of its dimensions is too large", name);
    *out = shape;
    return LIP_OK;
}

static lip_status shape_input(lip_model *model, const lip_draft_input *input, const lip_load_options *options,
                              lip_error *error)
{
    lip_value *value = &input->value->value;
    const lip_input_shape *given = given_shape(options, value->name);
    if (given) {
        value->shape = given->shape;
        value->shape_known = true;
        return LIP_OK;
    }
    /* Inputs that nothing live reads may stay without a shape; unusable ones make their readers unknown. */
    if (value->consumers == 0 || input->value->why)
        return LIP_OK;
    if (!input->has_shape)
        return lip_fail(error, LIP_EUSAGE,
                        "input '%s' has no shape in the file: give --input-shape %s:1x3x224x224, for instance",
                        value->name, value->name);
    lip_status status = declared_shape(model, input, &value->shape, error);
    value->shape_known = status == LIP_OK;
    return status;
}

lip_status lip_model_shape_inputs(lip_draft *draft, const lip_load_options *options, lip_error *error)
{
    for (size_t i = 0; i < options->shape_count; i++) {
        lip_status status = check_given(draft, &options->shapes[i], error);
        if (status)
            return status;
    }
    for (size_t i = 0; i < draft->input_count; i++) {
        lip_status status = shape_input(draft->model, &draft->inputs[i], options, error);
        if (status)
            return status;
    }
    return LIP_OK;
}
