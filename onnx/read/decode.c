/*
 * decode.c: stored elements to float32, float64 and int64, exactly.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "decode.h"

#include "graph/small_float.h"

#include <math.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "raw_data is little-endian and read in place: this machine is not"
#endif

unsigned lip_raw_bits(lip_dtype dtype)
{
    switch (dtype) {
    case LIP_DTYPE_UINT2:
    case LIP_DTYPE_INT2:
        return 2;
    case LIP_DTYPE_UINT4:
    case LIP_DTYPE_INT4:
    case LIP_DTYPE_FLOAT4E2M1:
        return 4;
    case LIP_DTYPE_UINT8:
    case LIP_DTYPE_INT8:
    case LIP_DTYPE_BOOL:
    case LIP_DTYPE_FLOAT8E4M3FN:
    case LIP_DTYPE_FLOAT8E4M3FNUZ:
    case LIP_DTYPE_FLOAT8E5M2:
    case LIP_DTYPE_FLOAT8E5M2FNUZ:
    case LIP_DTYPE_FLOAT8E8M0:
        return 8;
    case LIP_DTYPE_UINT16:
    case LIP_DTYPE_INT16:
    case LIP_DTYPE_FLOAT16:
    case LIP_DTYPE_BFLOAT16:
        return 16;
    case LIP_DTYPE_FLOAT:
    case LIP_DTYPE_INT32:
    case LIP_DTYPE_UINT32:
        return 32;
    case LIP_DTYPE_DOUBLE:
    case LIP_DTYPE_INT64:
    case LIP_DTYPE_UINT64:
        return 64;
    default:
        return 0;
    }
}

uint64_t lip_raw_size(lip_dtype dtype, int64_t count)
{
    unsigned bits = lip_raw_bits(dtype);
    uint64_t n = (uint64_t)count;
    return bits >= 8 ? n * (bits / 8) : n / 8 * bits + (n % 8 * bits + 7) / 8;
}

int64_t lip_packed_at(lip_dtype dtype, const uint8_t *packed, int64_t index)
{
    unsigned bits = lip_raw_bits(dtype), per = 8 / bits;
    int64_t half = INT64_C(1) << (bits - 1);
    int64_t x = packed[index / per] >> ((unsigned)(index % per) * bits) & ((1 << bits) - 1);
    bool with_sign = dtype == LIP_DTYPE_INT4 || dtype == LIP_DTYPE_INT2;
    return with_sign ? (x ^ half) - half : x;
}

float lip_float_from_half(uint16_t bits)
{
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    float value;
    if (exponent == 31)
        value = fraction ? NAN : INFINITY;
    else if (exponent == 0)
        value = ldexpf((float)fraction, -24);
    else
        value = ldexpf((float)(fraction + 1024), exponent - 25);
    return bits & 0x8000 ? -value : value;
}

float lip_float_from_bfloat(uint16_t bits)
{
    uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

#define DECODE(type, target, expression)            \
    for (int64_t i = 0; i < count; i++) {           \
        type x;                                     \
        memcpy(&x, raw + (size_t)i * sizeof x, sizeof x); \
        ((target *)room)[i] = (expression);         \
    }                                               \
    return true

bool lip_decode_raw(lip_dtype dtype, const uint8_t *raw, int64_t count, void *room)
{
    if (count == 0)
        return true;
    switch (dtype) {
    case LIP_DTYPE_FLOAT:
        memcpy(room, raw, (size_t)count * 4);
        return true;
    case LIP_DTYPE_DOUBLE:
    case LIP_DTYPE_INT64:
        memcpy(room, raw, (size_t)count * 8);
        return true;
    case LIP_DTYPE_UINT64:
        memcpy(room, raw, (size_t)count * 8);
        for (int64_t i = 0; i < count; i++)
            if (((const int64_t *)room)[i] < 0)
                return false;
        return true;
    case LIP_DTYPE_FLOAT16:
        DECODE(uint16_t, float, lip_float_from_half(x));
    case LIP_DTYPE_BFLOAT16:
        DECODE(uint16_t, float, lip_float_from_bfloat(x));
    case LIP_DTYPE_BOOL:
        DECODE(uint8_t, int64_t, x != 0);
    case LIP_DTYPE_UINT8:
        DECODE(uint8_t, int64_t, x);
    case LIP_DTYPE_INT8:
        DECODE(int8_t, int64_t, x);
    case LIP_DTYPE_UINT16:
        DECODE(uint16_t, int64_t, x);
    case LIP_DTYPE_INT16:
        DECODE(int16_t, int64_t, x);
    case LIP_DTYPE_UINT32:
        DECODE(uint32_t, int64_t, x);
    case LIP_DTYPE_INT32:
        DECODE(int32_t, int64_t, x);
    case LIP_DTYPE_FLOAT8E4M3FN:
    case LIP_DTYPE_FLOAT8E4M3FNUZ:
    case LIP_DTYPE_FLOAT8E5M2:
    case LIP_DTYPE_FLOAT8E5M2FNUZ:
    case LIP_DTYPE_FLOAT8E8M0:
        DECODE(uint8_t, float, lip_small_float_value(dtype, x));
    case LIP_DTYPE_FLOAT4E2M1:
        for (int64_t i = 0; i < count; i++)
            ((float *)room)[i] = lip_small_float_value(dtype, (uint8_t)lip_packed_at(dtype, raw, i));
        return true;
    case LIP_DTYPE_UINT4:
    case LIP_DTYPE_INT4:
    case LIP_DTYPE_UINT2:
    case LIP_DTYPE_INT2:
        for (int64_t i = 0; i < count; i++)
            ((int64_t *)room)[i] = lip_packed_at(dtype, raw, i);
        return true;
    default:
        return false;
    }
}
