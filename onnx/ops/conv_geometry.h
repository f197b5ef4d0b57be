/*
 * conv_geometry.h: a Conv or ConvTranspose node as a lip_conv, and what the
 * two share.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_OPS_CONV_GEOMETRY_H
#define LIP_ONNX_OPS_CONV_GEOMETRY_H

#include "op.h"

/* Reads and checks inputs, attributes and sizes; weight is the constant one, or NULL. */
lip_status lip_conv_of_node(const lip_node *node, lip_conv *out, lip_error *error);
lip_status lip_conv_transpose_of_node(const lip_node *node, lip_conv *out, lip_error *error);

/* Checks the bias, and that BLAS can index the sizes. */
lip_status lip_conv_check(const lip_node *node, const lip_conv *conv, lip_error *error);
/* Sets output 0: [batch, channels of the node's output, spatial...]. */
lip_status lip_conv_set_output(const lip_node *node, const lip_conv *conv, lip_error *error);
/* The two passes of the node, bias included. */
lip_status lip_conv_node_forward(const lip_call *call, const lip_conv *conv, lip_error *error);
lip_status lip_conv_node_adjoint(const lip_call *call, const lip_conv *conv, lip_error *error);
/* CONV with this geometry where the weights are constant; otherwise why there is no such gain. */
void lip_conv_node_gain(const lip_node *node, const lip_conv *conv, lip_gain *gain);

#endif
