/*
 * function_proto.h: functions that the model defines, put in place of their
 * calls.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_READ_FUNCTION_PROTO_H
#define LIP_ONNX_READ_FUNCTION_PROTO_H

#include "graph/draft.h"
#include "read/wire.h"

/* The list of the model's functions; their bodies are read where they are called. */
lip_status lip_read_functions(lip_draft *draft, lip_wire model, lip_error *error);

/* The function that a node calls, or NULL. */
const lip_draft_function *lip_find_function(const lip_draft *draft, const lip_node *node, const char *overload);
/* Puts a call on the draft's list. */
lip_status lip_draft_call_function(lip_draft *draft, const lip_draft_function *function, lip_draft_node *node,
                                   lip_error *error);
/* Reads the bodies of all calls on the list, and those that they call. */
lip_status lip_read_calls(lip_draft *draft, lip_error *error);

#endif
