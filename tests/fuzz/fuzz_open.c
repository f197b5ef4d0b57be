/*
 * fuzz_open.c: see fuzz_open.h.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fuzz_open.h"

#include "graph/model.h"
#include "op.h"

#include <stdlib.h>

#define CAP (8 << 20)         /* bytes that one model may take */
#define MAX_ELEMENTS (1 << 14) /* of all tensors together, to be evaluated */
#define MAX_NODES 64

static int64_t count_elements(const lip_model *model)
{
    int64_t total = 0, count;
    for (size_t i = 0; i < model->value_count; i++) {
        const lip_value *value = model->values[i];
        const lip_shape *shape = value->constant ? &value->constant->shape : &value->shape;
        if ((!value->shape_known && !value->constant) || !lip_shape_count(shape, &count) ||
            !lip_size_add(total, count, &total))
            return INT64_MAX;
    }
    return total;
}

static void describe_gains(lip_model *model)
{
    for (size_t i = 0; i < model->node_count; i++) {
        const lip_node *node = model->nodes[i];
        if (!node->op || node->unknown || node->folded || !node->op->describe)
            continue;
        lip_gain gain = node->op->gain;
        lip_error error;
        node->op->describe(node, &model->arena, &gain, &error);
    }
}

static void evaluate(const lip_model *model)
{
    int64_t count, total = count_elements(model);
    if (total > MAX_ELEMENTS || model->node_count > MAX_NODES || model->input_count > MAX_NODES)
        return;
    double *zeros = calloc((size_t)total + 1, sizeof *zeros), *logits = calloc((size_t)total + 1, sizeof *logits);
    const double *inputs[MAX_NODES];
    for (size_t i = 0; i < model->input_count; i++)
        inputs[i] = zeros;
    if (zeros && logits && lip_shape_count(&model->logits->shape, &count))
        lip_model_forward(model, inputs, logits, NULL);
    free(zeros);
    free(logits);
}

void fuzz_open(const uint8_t *data, size_t size, const char *path)
{
    const lip_memory preset = {.cap = CAP};
    lip_model *model = NULL;
    lip_error error;
    if (lip_model_read(data, size, path, NULL, &preset, &model, &error) == LIP_OK) {
        const lip_model_info info = lip_model_describe(model);
        for (size_t i = 0; i < info.nodes + info.nodes_folded; i++) {
            lip_model_node_input(model, i, 0);
            lip_model_node_output(model, i, 0);
        }
        describe_gains(model);
        evaluate(model);
    }
    lip_model_free(&model);
}
