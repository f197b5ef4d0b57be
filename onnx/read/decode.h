/*
 * decode.h: stored elements to the storages of tensor.h, exactly.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef LIP_ONNX_READ_DECODE_H
#define LIP_ONNX_READ_DECODE_H

#include "tensor.h"

/* Bits of one element in raw_data, where elements of less than a byte are packed from the lowest bit on; 0 for types
 * that are not supported. */
unsigned lip_raw_bits(lip_dtype dtype);
/* Bytes of `count` elements. */
uint64_t lip_raw_size(lip_dtype dtype, int64_t count);

/* Element `index` of packed ones. */
int64_t lip_packed_at(lip_dtype dtype, const uint8_t *packed, int64_t index);

/* IEEE binary16 and bfloat16 bit patterns; every value is a float32. */
float lip_float_from_half(uint16_t bits);
float lip_float_from_bfloat(uint16_t bits);

/* `count` little-endian elements at any alignment to `room` (of lip_dtype_storage(dtype, false)). False where a value
 * does not fit: uint64 above INT64_MAX. */
bool lip_decode_raw(lip_dtype dtype, const uint8_t *raw, int64_t count, void *room);

#endif
