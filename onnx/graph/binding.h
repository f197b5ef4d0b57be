/*
 * binding.h: one node's lip_call made ready: arrays for its inputs and
 * outputs, and its constant inputs as the operators want them (reals in
 * float64). Private to onnx/graph.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_GRAPH_BINDING_H
#define LIP_GRAPH_BINDING_H

#include "op.h"

typedef struct lip_binding {
    lip_memory *memory;
    size_t input_room, output_room;
    const lip_tensor **in;
    lip_tensor **out;
    const double **out_grad;
    double **in_grad;
    lip_tensor *converted; /* where a constant had to be converted; data is owned */
    const lip_node *node;
} lip_binding;

/* A copy of a constant's description with its elements as LIP_F64 in a new block; data is NULL if memory is out. */
lip_tensor lip_tensor_converted(const lip_tensor *constant, lip_memory *memory);

/* Room for nodes with up to `inputs` inputs and `outputs` outputs. Close it also when this fails. */
lip_status lip_binding_open(lip_binding *binding, lip_memory *memory, size_t inputs, size_t outputs, lip_error *error);
void lip_binding_close(lip_binding *binding);

/* Fills `in` with the node's constants and everything else with NULL; releases what was bound before. */
lip_status lip_binding_set(lip_binding *binding, const lip_node *node, lip_error *error);
void lip_binding_clear(lip_binding *binding);

/* The call as bound; valid until the binding changes. */
lip_call lip_binding_call(const lip_binding *binding, bool linear_part);

#endif
