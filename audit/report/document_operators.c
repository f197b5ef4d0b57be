/*
 * document_operators.c: the operator table, as a document.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "document.h"

static json_t *one_operator(const lip_op_info *op)
{
    bool complete = true;
    json_t *object = json_object();
    json_put(object, &complete, "name", json_text(op->name));
    json_put(object, &complete, "domain", json_text(op->domain[0] != '\0' ? op->domain : "ai.onnx"));
    json_put(object, &complete, "opset_first", json_integer(op->opset_first));
    json_put(object, &complete, "opset_last", json_integer(op->opset_last));
    json_put(object, &complete, "gain", json_text(op->gain));
    return json_whole(object, complete);
}

json_t *document_of_operators(void)
{
    bool complete = true;
    json_t *root = json_object(), *operators = json_array();
    for (size_t i = 0; i < lip_op_count(); i++) {
        lip_op_info op = lip_op_describe(i);
        json_push(operators, &complete, one_operator(&op));
    }
    json_put(root, &complete, "schema", json_text("lipaudit.ops/1"));
    json_put(root, &complete, "operators", operators);
    return json_whole(root, complete);
}
