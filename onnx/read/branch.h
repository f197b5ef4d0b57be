/*
 * branch.h: subgraphs of control flow: what they read from around them, and
 * the branch of an If whose condition is known.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_READ_BRANCH_H
#define LIP_ONNX_READ_BRANCH_H

#include "graph/draft.h"
#include "read/wire.h"

/* For a node with subgraphs, `field` its NodeProto: notes where they are, and appends the values that they read from
 * outside to the node's inputs. */
lip_status lip_read_captures(lip_draft *draft, lip_draft_node *made, const lip_wire_field *field, lip_error *error);

#endif
