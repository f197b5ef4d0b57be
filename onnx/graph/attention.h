/*
 * attention.h: the standard's Attention (opset 23 and 24) as the products, sum
 * and Softmax that it stands for, so that each has its own gain. Private to
 * onnx/graph.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_GRAPH_ATTENTION_H
#define LIP_GRAPH_ATTENTION_H

#include "graph/model.h"

/* An Attention whose inputs' shapes are known. */
bool lip_is_attention(const lip_node *node);
/*
 * Appends its parts to model->nodes, in order. LIP_EUNSUPPORTED, and nothing appended, for what is not split: lengths
 * of padded keys (opset 24), the raw scores as an output; LIP_EFORMAT for shapes that contradict each other.
 */
lip_status lip_split_attention(lip_draft *draft, lip_node *node, lip_error *error);

#endif
