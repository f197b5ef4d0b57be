/*
 * attribute.h: AttributeProto to lip_attr.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_READ_ATTRIBUTE_H
#define LIP_ONNX_READ_ATTRIBUTE_H

#include "graph/draft.h"

struct Onnx__AttributeProto;

/* Copies an attribute into the model's arena. A tensor that is not supported gives LIP_ATTR_OTHER. In a function, an
 * attribute that refers to one which the call leaves out gets no name: it is not there. */
lip_status lip_read_attribute(lip_draft *draft, const lip_scope *scope, const struct Onnx__AttributeProto *proto,
                              lip_attr *out, lip_error *error);

#endif
