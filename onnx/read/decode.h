/*
 * decode.h: stored elements to the storages of tensor.h, exactly.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_READ_DECODE_H
#define LIP_ONNX_READ_DECODE_H

#include "tensor.h"

/* Bytes of one element in raw_data; 0 for types that are not supported. */
size_t lip_raw_size(lip_dtype dtype);

/* IEEE binary16 and bfloat16 bit patterns; every value is a float32. */
float lip_float_from_half(uint16_t bits);
float lip_float_from_bfloat(uint16_t bits);

/* `count` little-endian elements at any alignment to `room` (of lip_dtype_storage(dtype, false)). False where a value
 * does not fit: uint64 above INT64_MAX. */
bool lip_decode_raw(lip_dtype dtype, const uint8_t *raw, int64_t count, void *room);

#endif
