/*
 * constant_node.h: the operator Constant in every form.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_READ_CONSTANT_NODE_H
#define LIP_ONNX_READ_CONSTANT_NODE_H

#include "graph/draft.h"

struct Onnx__NodeProto;

/* Makes the node's output a constant; strings make it a value that says why it cannot be used. */
lip_status lip_read_constant_node(lip_draft *draft, const lip_draft_node *made, const struct Onnx__NodeProto *proto,
                                  lip_error *error);

#endif
