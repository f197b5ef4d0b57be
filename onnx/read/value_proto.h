/*
 * value_proto.h: the graph's inputs and outputs as declared.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_READ_VALUE_PROTO_H
#define LIP_ONNX_READ_VALUE_PROTO_H

#include "graph/draft.h"

struct Onnx__GraphProto;

/* Inputs that are no initializers, with type and shape. Initializers must have been read. */
lip_status lip_read_inputs(lip_draft *draft, const struct Onnx__GraphProto *graph, lip_error *error);
/* Outputs, with the declared type where the value has none. */
lip_status lip_read_outputs(lip_draft *draft, const struct Onnx__GraphProto *graph, lip_error *error);

#endif
