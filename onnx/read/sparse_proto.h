/*
 * sparse_proto.h: SparseTensorProto to a dense tensor.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_READ_SPARSE_PROTO_H
#define LIP_ONNX_READ_SPARSE_PROTO_H

#include "read/tensor_proto.h"

struct Onnx__SparseTensorProto;

/* As lip_tensor_read and lip_tensor_from_proto; the name is that of the values. */
lip_status lip_sparse_read(const lip_tensor_reader *reader, const void *bytes, size_t size, lip_tensor *out,
                           const char **name, lip_error *error);
lip_status lip_sparse_from_proto(const lip_tensor_reader *reader, const struct Onnx__SparseTensorProto *proto,
                                 lip_tensor *out, lip_error *error);

#endif
