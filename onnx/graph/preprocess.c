/*
 * preprocess.c: what is done to a sample before the model sees it, as nodes in
 * front of the network, and finding out whether the model does it itself.
 *
 *   input -> Mul(scale) -> Sub(mean) -> Div(std) -> the model as stored
 *
 * The model's own nodes go on reading the value that they name; what changes
 * is that this value is computed from a new input of the same name. The constants are the
 * doubles that were given: the network meant is the one with these doubles.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "graph/fuse.h"
#include "op.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct lip_step {
    const char *op, *name, *what;
    const double *numbers;
    size_t count;
} lip_step;

/* The steps that are given; returns how many. */
static int list_steps(const lip_preprocess *p, lip_step steps[3])
{
    const lip_step all[3] = {
        {"Mul", "preprocess.scale", "scale", p->scale != 1 ? &p->scale : NULL, 1},
        {"Sub", "preprocess.mean", "mean", p->mean, p->mean_count},
        {"Div", "preprocess.std", "standard deviation", p->std, p->std_count},
    };
    int count = 0;
    for (int i = 0; i < 3; i++)
        if (all[i].numbers && all[i].count > 0)
            steps[count++] = all[i];
    return count;
}

static lip_status check_options(const lip_preprocess *p, lip_error *error)
{
    if (!isfinite(p->scale) || p->scale == 0)
        return lip_fail(error, LIP_EUSAGE, "the scale %g is not a finite number other than 0", p->scale);
    for (size_t i = 0; p->mean && i < p->mean_count; i++)
        if (!isfinite(p->mean[i]))
            return lip_fail(error, LIP_EUSAGE, "the mean holds %g, which is not finite", p->mean[i]);
    for (size_t i = 0; p->std && i < p->std_count; i++)
        if (!(p->std[i] > 0) || !isfinite(p->std[i]))
            return lip_fail(error, LIP_EUSAGE, "the standard deviation holds %g, which is not a finite number above 0",
                            p->std[i]);
    return LIP_OK;
}

static lip_status find_input(lip_draft *draft, lip_draft_input **out, lip_error *error)
{
    lip_draft_input *found = NULL;
    for (size_t i = 0; i < draft->input_count; i++) {
        if (!draft->inputs[i].value->value.varies)
            continue;
        if (found)
            return lip_fail(error, LIP_EUSAGE,
                            "scale, mean and standard deviation apply to one input: name it (there are '%s' and '%s')",
                            found->value->value.name, draft->inputs[i].value->value.name);
        found = &draft->inputs[i];
    }
    if (!found || !found->value->value.shape_known)
        return lip_fail(error, LIP_EUSAGE, "the model has no floating-point input to scale");
    *out = found;
    return LIP_OK;
}

/* A value of a name that the file does not have. */
static lip_draft_value *new_value(lip_draft *draft, const char *name, const char *part)
{
    size_t room = strlen(name) + strlen(part) + 32;
    char *text = lip_arena_alloc(&draft->scratch, (int64_t)room, 1);
    if (!text)
        return NULL;
    snprintf(text, room, "%s::%s", name, part);
    for (size_t again = 2; lip_draft_find(draft, text); again++)
        snprintf(text, room, "%s::%s#%zu", name, part, again);
    lip_draft_value *value = lip_draft_value_named(draft, text);
    if (value)
        value->defined = true;
    return value;
}

/* Where the constant of a step lies along the input's axes: one number for all, or one a channel (axis 1, else the
 * last one). */
static lip_status place(const lip_value *input, const lip_step *step, lip_shape *out, lip_error *error)
{
    const lip_shape *shape = &input->shape;
    const int last = shape->rank - 1;
    const int64_t count = (int64_t)step->count, on_second = shape->rank > 1 ? shape->dim[1] : 1,
                  on_last = last >= 0 ? shape->dim[last] : 1;
    *out = (lip_shape){.rank = shape->rank};
    for (int axis = 0; axis < shape->rank; axis++)
        out->dim[axis] = 1;
    if (count == 1)
        return LIP_OK;
    if (on_second != count && on_last != count) {
        char text[200];
        lip_shape_text(shape, text, sizeof text);
        return lip_fail(error, LIP_EUSAGE,
                        "the %s has %" PRId64 " numbers, but the input '%s' (%s) has %" PRId64
                        " channels (axis 1) or %" PRId64 " (last axis)",
                        step->what, count, input->name, text, on_second, on_last);
    }
    out->dim[on_second == count ? 1 : last] = count;
    return LIP_OK;
}

static lip_value *make_constant(lip_draft *draft, const lip_value *input, const lip_step *step, const lip_shape *shape)
{
    lip_value *value = lip_draft_reals(draft, input, step->numbers, (int64_t)step->count);
    lip_tensor *tensor = lip_arena_alloc(&draft->model->arena, 1, sizeof *tensor);
    if (!value || !tensor)
        return NULL;
    *tensor = *value->constant;
    tensor->shape = value->shape = *shape;
    value->constant = tensor;
    return value;
}

static lip_node *make_node(lip_draft *draft, const char *op, const char *name)
{
    lip_arena *arena = &draft->model->arena;
    lip_draft_node *made = lip_arena_alloc(arena, 1, sizeof *made);
    lip_value **in = lip_arena_alloc(arena, 2, sizeof *in), **out = lip_arena_alloc(arena, 1, sizeof *out);
    if (!made || !in || !out)
        return NULL;
    made->op_text = op;
    made->prepended = true;
    made->node = (lip_node){.name = name,
                            .op_type = op,
                            .domain = "",
                            .module = "",
                            .opset = 14,
                            .op = lip_op_find("", op),
                            .inputs = in,
                            .input_count = 2,
                            .outputs = out,
                            .output_count = 1};
    return &made->node;
}

/* A node that computes `to` from `from`. */
static lip_status add_step(lip_draft *draft, const lip_step *step, const lip_shape *shape, lip_value *from,
                           lip_value *to, lip_error *error)
{
    lip_value *constant = make_constant(draft, from, step, shape);
    lip_node *node = make_node(draft, step->op, step->name);
    if (!constant || !node)
        return lip_fail_memory(error, NULL, "the preprocessing");
    node->inputs[0] = from;
    node->inputs[1] = constant;
    node->outputs[0] = to;
    to->dtype = from->dtype;
    to->producer = node;
    return lip_draft_append(draft, node, error);
}

/* A new graph input in the place of the old one, with its name: reading goes on to find the old one by it. */
static lip_value *new_input(lip_draft *draft, lip_draft_input *input)
{
    lip_draft_value *old = input->value, *made = new_value(draft, old->value.name, "stored");
    if (!made)
        return NULL;
    made->value.name = old->value.name;
    made->value.dtype = old->value.dtype;
    made->value.shape = old->value.shape;
    made->value.shape_known = made->value.varies = made->is_input = true;
    old->is_input = false;
    input->value = made;
    return &made->value;
}

/* The last `count` (at most 3) nodes come to the front. */
static void move_to_front(lip_model *model, size_t count)
{
    lip_node *moved[3];
    size_t rest = model->node_count - count;
    memcpy(moved, model->nodes + rest, count * sizeof *moved);
    memmove(model->nodes + count, model->nodes, rest * sizeof *moved);
    memcpy(model->nodes, moved, count * sizeof *moved);
}

lip_status lip_model_preprocess(lip_draft *draft, const lip_load_options *options, lip_error *error)
{
    lip_step steps[3];
    lip_draft_input *input = NULL;
    int count = options->preprocess ? list_steps(options->preprocess, steps) : 0;
    if (count == 0)
        return LIP_OK;
    lip_status status = check_options(options->preprocess, error);
    if (!status)
        status = find_input(draft, &input, error);
    if (status)
        return status;
    lip_value *last = &input->value->value, *from = new_input(draft, input);
    lip_shape shape;
    for (int i = 0; from && !status && i < count; i++) {
        lip_draft_value *between = i < count - 1 ? new_value(draft, last->name, steps[i + 1].what) : NULL;
        lip_value *to = i == count - 1 ? last : between ? &between->value : NULL;
        if (!to)
            return lip_fail_memory(error, NULL, "the preprocessing");
        to->shape = from->shape;
        to->shape_known = true;
        status = place(last, &steps[i], &shape, error);
        if (!status)
            status = add_step(draft, &steps[i], &shape, from, to, error);
        from = to;
    }
    if (!from)
        return lip_fail_memory(error, NULL, "the preprocessing");
    if (!status) /* later sorts, of branches, know them as sorted then */
        status = lip_model_sort_from(draft, draft->model->node_count - (size_t)count, error);
    if (!status)
        move_to_front(draft->model, (size_t)count);
    return status;
}

/* ------------------------------------------------------- what the model does */

static bool passes(const lip_node *node)
{
    static const char *const names[] = {"Cast", "Transpose", "Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (node->domain[0] == '\0' && strcmp(node->op_type, names[i]) == 0)
            return true;
    return false;
}

/* Shifts or scales its one varying input by constants. */
static bool normalises(const lip_node *node)
{
    static const char *const names[] = {"Sub", "Div", "Mul", "Add"};
    if (strcmp(node->domain, "ai.onnx.ml") == 0)
        return strcmp(node->op_type, "Scaler") == 0;
    if (node->domain[0] != '\0')
        return false;
    if (strcmp(node->op_type, "BatchNormalization") == 0)
        return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(node->op_type, names[i]) == 0)
            return lip_node_constant(node, 0) || lip_node_constant(node, 1);
    return false;
}

static bool reads_raw(const lip_node *node, const bool *raw)
{
    for (size_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] && raw[node->inputs[i]->index])
            return true;
    return false;
}

lip_status lip_model_find_normalisation(lip_draft *draft, lip_error *error)
{
    lip_model *model = draft->model;
    bool *raw = lip_arena_alloc(&draft->scratch, (int64_t)model->value_count, sizeof *raw);
    model->normalises = "";
    if (!raw)
        return lip_fail_memory(error, NULL, "the list of tensors");
    for (size_t i = 0; i < model->input_count; i++)
        raw[model->inputs[i]->index] = model->inputs[i]->varies;
    for (size_t i = 0; i < model->node_count; i++) {
        const lip_node *node = model->nodes[i];
        bool ours = lip_draft_of_node(node)->prepended;
        if (node->folded || !reads_raw(node, raw))
            continue;
        if (!ours && normalises(node)) {
            model->normalises = node->name;
            return LIP_OK;
        }
        for (size_t k = 0; k < node->output_count && (ours || passes(node)); k++)
            if (node->outputs[k])
                raw[node->outputs[k]->index] = true;
    }
    return LIP_OK;
}
