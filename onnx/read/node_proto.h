/*
 * node_proto.h: NodeProto to a node of the draft.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_READ_NODE_PROTO_H
#define LIP_ONNX_READ_NODE_PROTO_H

#include "graph/draft.h"
#include "read/wire.h"

/* Reads the node in `field` (checked bytes), the `index`-th of its scope, and appends it to the model's nodes; a
 * Constant node becomes a constant instead, and a call of one of the model's functions waits for lip_read_calls. */
lip_status lip_read_node(lip_draft *draft, const lip_scope *scope, const lip_wire_field *field, size_t index,
                         lip_error *error);

/* In model_proto.c: initializers and nodes of a GraphProto, in a scope. */
lip_status lip_read_graph_body(lip_draft *draft, const lip_scope *scope, lip_wire graph, lip_error *error);

/* Makes `value` the constant `tensor`, or, where status is LIP_EUNSUPPORTED, a value that says error->reason. Other
 * statuses are passed on. */
lip_status lip_draft_constant(lip_draft *draft, lip_draft_value *value, lip_status status, const lip_tensor *tensor,
                              lip_error *error);

#endif
