/*
 * tensor.h: shapes and dense tensors.
 *
 * Elements lie in row-major order in one of three storages, whatever the
 * ONNX element type: float (FLOAT, FLOAT16, BFLOAT16: the conversion is
 * exact, and the small types of 8 bits or fewer), double (DOUBLE and every
 * computed floating-point value), int64 (integers and BOOL). Other types
 * (strings, complex, uint64 above INT64_MAX) are LIP_OPAQUE: they have a shape
 * and no data.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_TENSOR_H
#define LIP_ONNX_TENSOR_H

#include "alloc.h"

typedef enum lip_dtype { /* TensorProto.DataType */
    LIP_DTYPE_UNDEFINED = 0,
    LIP_DTYPE_FLOAT = 1,
    LIP_DTYPE_UINT8 = 2,
    LIP_DTYPE_INT8 = 3,
    LIP_DTYPE_UINT16 = 4,
    LIP_DTYPE_INT16 = 5,
    LIP_DTYPE_INT32 = 6,
    LIP_DTYPE_INT64 = 7,
    LIP_DTYPE_STRING = 8,
    LIP_DTYPE_BOOL = 9,
    LIP_DTYPE_FLOAT16 = 10,
    LIP_DTYPE_DOUBLE = 11,
    LIP_DTYPE_UINT32 = 12,
    LIP_DTYPE_UINT64 = 13,
    LIP_DTYPE_COMPLEX64 = 14,
    LIP_DTYPE_COMPLEX128 = 15,
    LIP_DTYPE_BFLOAT16 = 16,
    LIP_DTYPE_FLOAT8E4M3FN = 17,
    LIP_DTYPE_FLOAT8E4M3FNUZ = 18,
    LIP_DTYPE_FLOAT8E5M2 = 19,
    LIP_DTYPE_FLOAT8E5M2FNUZ = 20,
    LIP_DTYPE_UINT4 = 21,
    LIP_DTYPE_INT4 = 22,
    LIP_DTYPE_FLOAT4E2M1 = 23,
    LIP_DTYPE_FLOAT8E8M0 = 24,
    LIP_DTYPE_UINT2 = 25,
    LIP_DTYPE_INT2 = 26
} lip_dtype;

typedef enum lip_storage { LIP_OPAQUE, LIP_F32, LIP_F64, LIP_I64 } lip_storage;

const char *lip_dtype_name(lip_dtype dtype); /* "float32", ...; others are "unknown type" */
bool lip_dtype_is_real(lip_dtype dtype);     /* floating-point, of any width */
bool lip_dtype_is_small(lip_dtype dtype);    /* of 8 bits or fewer: stored and moved, not computed with */
lip_storage lip_dtype_storage(lip_dtype dtype, bool computed); /* computed: reals are LIP_F64 */
size_t lip_storage_size(lip_storage storage);

/* Number of elements; false if a dimension is negative or the product overflows. */
bool lip_shape_count(const lip_shape *shape, int64_t *count);
bool lip_shape_equal(const lip_shape *a, const lip_shape *b);
void lip_shape_text(const lip_shape *shape, char *text, size_t size); /* "1x3x32x32"; rank 0: "scalar" */

/* Numpy broadcasting, trailing dimensions aligned; false if they do not agree. out may be a or b. */
bool lip_shape_broadcast(const lip_shape *a, const lip_shape *b, lip_shape *out);

typedef struct lip_tensor {
    lip_dtype dtype;
    lip_storage storage;
    lip_shape shape;
    int64_t count; /* product of shape */
    union {
        const void *data; /* NULL when opaque, or when only the shape matters */
        const float *f32;
        const double *f64;
        const int64_t *i64;
        void *room; /* the owner's writable view */
        double *f64_room;
        int64_t *i64_room;
    };
} lip_tensor;

double lip_tensor_real(const lip_tensor *tensor, int64_t index); /* element as double, any storage but opaque */
/* All elements as double into `to` (room for count). */
void lip_tensor_to_real(const lip_tensor *tensor, double *to);

#endif
