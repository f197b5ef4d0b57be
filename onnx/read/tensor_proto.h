/*
 * tensor_proto.h: TensorProto to lip_tensor, every encoding.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_READ_TENSOR_PROTO_H
#define LIP_ONNX_READ_TENSOR_PROTO_H

#include "tensor.h"

struct Onnx__TensorProto;
struct lip_source;

/* What tensors are read with. `source` may be NULL: external data is then refused. */
typedef struct lip_tensor_reader {
    lip_arena *arena;
    struct lip_source *source;
} lip_tensor_reader;

/*
 * Reads the TensorProto message in `bytes` (not checked before: TensorProto files can be given as they are). Where the
 * element type or rank is not supported: LIP_EUNSUPPORTED, *name and out->dtype set, and the reason reads on after
 * "tensor 'x' " ("holds strings"). Data that do not agree with the shape: LIP_EFORMAT. *name is "" if absent and lives
 * in the arena. Raw data in `bytes` may be used in place: `bytes` must live as long as the tensor.
 */
lip_status lip_tensor_read(const lip_tensor_reader *reader, const void *bytes, size_t size, lip_tensor *out,
                           const char **name, lip_error *error);

/* The same from an unpacked message, everything copied. */
lip_status lip_tensor_from_proto(const lip_tensor_reader *reader, const struct Onnx__TensorProto *proto,
                                 lip_tensor *out, lip_error *error);

#endif
