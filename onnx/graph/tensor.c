/*
 * tensor.c: element types, shapes and dense tensors.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "tensor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const dtype_names[] = {
    "undefined", "float32", "uint8",   "int8",    "uint16", "int16",  "int32",     "int64",      "string",
    "bool",      "float16", "float64", "uint32",  "uint64", "complex64", "complex128", "bfloat16",
    "float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "uint4", "int4", "float4e2m1", "float8e8m0",
    "uint2",     "int2",
};

const char *lip_dtype_name(lip_dtype dtype)
{
    size_t index = (size_t)dtype;
    return index < sizeof dtype_names / sizeof *dtype_names && dtype_names[index] ? dtype_names[index] : "unknown type";
}

bool lip_dtype_is_real(lip_dtype dtype)
{
    return dtype == LIP_DTYPE_FLOAT || dtype == LIP_DTYPE_DOUBLE || dtype == LIP_DTYPE_FLOAT16 ||
           dtype == LIP_DTYPE_BFLOAT16 || lip_dtype_is_small(dtype);
}

bool lip_dtype_is_small(lip_dtype dtype)
{
    return (dtype >= LIP_DTYPE_FLOAT8E4M3FN && dtype <= LIP_DTYPE_FLOAT8E5M2FNUZ) || dtype == LIP_DTYPE_FLOAT4E2M1 ||
           dtype == LIP_DTYPE_FLOAT8E8M0;
}

lip_storage lip_dtype_storage(lip_dtype dtype, bool computed)
{
    if (lip_dtype_is_real(dtype))
        return computed || dtype == LIP_DTYPE_DOUBLE ? LIP_F64 : LIP_F32;
    switch (dtype) {
    case LIP_DTYPE_UINT8:
    case LIP_DTYPE_INT8:
    case LIP_DTYPE_UINT16:
    case LIP_DTYPE_INT16:
    case LIP_DTYPE_INT32:
    case LIP_DTYPE_INT64:
    case LIP_DTYPE_UINT32:
    case LIP_DTYPE_UINT64:
    case LIP_DTYPE_BOOL:
    case LIP_DTYPE_UINT4:
    case LIP_DTYPE_INT4:
    case LIP_DTYPE_UINT2:
    case LIP_DTYPE_INT2:
        return LIP_I64;
    default:
        return LIP_OPAQUE;
    }
}

size_t lip_storage_size(lip_storage storage)
{
    return storage == LIP_OPAQUE ? 0 : storage == LIP_F32 ? 4 : 8;
}

bool lip_shape_count(const lip_shape *shape, int64_t *count)
{
    if (shape->rank < 0 || shape->rank > LIP_MAX_RANK)
        return false;
    /* A zero makes the product zero, but the other factors must be sound all the same. */
    int64_t product = 1;
    bool empty = false;
    for (int i = 0; i < shape->rank; i++) {
        if (shape->dim[i] == 0)
            empty = true;
        else if (!lip_size_mul(product, shape->dim[i], &product))
            return false;
    }
    *count = empty ? 0 : product;
    return true;
}

bool lip_shape_equal(const lip_shape *a, const lip_shape *b)
{
    if (a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i])
            return false;
    return true;
}

void lip_shape_text(const lip_shape *shape, char *text, size_t size)
{
    snprintf(text, size, "%s", shape->rank ? "" : "scalar");
    size_t used = 0;
    for (int i = 0; i < shape->rank && used < size; i++) {
        int written = snprintf(text + used, size - used, "%s%" PRId64, i ? "x" : "", shape->dim[i]);
        if (written < 0)
            return;
        used += (size_t)written;
    }
}

bool lip_shape_broadcast(const lip_shape *a, const lip_shape *b, lip_shape *out)
{
    lip_shape result = {.rank = a->rank > b->rank ? a->rank : b->rank};
    for (int i = 1; i <= result.rank; i++) {
        int64_t p = i <= a->rank ? a->dim[a->rank - i] : 1;
        int64_t q = i <= b->rank ? b->dim[b->rank - i] : 1;
        if (p != q && p != 1 && q != 1)
            return false;
        result.dim[result.rank - i] = p == 1 ? q : p;
    }
    *out = result;
    return true;
}

double lip_tensor_real(const lip_tensor *tensor, int64_t index)
{
    switch (tensor->storage) {
    case LIP_F32:
        return (double)tensor->f32[index];
    case LIP_F64:
        return tensor->f64[index];
    case LIP_I64:
        return (double)tensor->i64[index];
    case LIP_OPAQUE:
        break;
    }
    return 0.0;
}

void lip_tensor_to_real(const lip_tensor *tensor, double *to)
{
    if (tensor->count <= 0)
        return;
    if (tensor->storage == LIP_F64) {
        memcpy(to, tensor->f64, (size_t)tensor->count * sizeof *to);
        return;
    }
    for (int64_t i = 0; i < tensor->count; i++)
        to[i] = lip_tensor_real(tensor, i);
}
