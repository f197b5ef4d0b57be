/*
 * small_float.c: see small_float.h.
 *
 * A code is a sign, an exponent e and a fraction f of m bits: with the type's
 * bias b it stands for (2^m + f) 2^(e - b - m), where e = 0 for f 2^(1 - b - m).
 * The types differ in which codes are infinite or NaN [Micikevicius et al.,
 * FP8 Formats for Deep Learning, 2022; Open Compute Project, Microscaling
 * Formats, 2023; ONNX, Float stored in 8 bits].
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "small_float.h"

#include <math.h>

typedef enum special {
    NONE,    /* every code is a number */
    LAST,    /* all ones: NaN */
    IEEE,    /* all ones in the exponent: infinity, or NaN where the fraction is not 0 */
    NO_ZERO, /* the code of -0 is NaN, the only one */
} special;

typedef struct format {
    int exponent, fraction, bias; /* bits, bits, bias */
    special special;
} format;

static format format_of(lip_dtype dtype)
{
    switch (dtype) {
    case LIP_DTYPE_FLOAT8E4M3FN: return (format){4, 3, 7, LAST};
    case LIP_DTYPE_FLOAT8E4M3FNUZ: return (format){4, 3, 8, NO_ZERO};
    case LIP_DTYPE_FLOAT8E5M2: return (format){5, 2, 15, IEEE};
    case LIP_DTYPE_FLOAT8E5M2FNUZ: return (format){5, 2, 16, NO_ZERO};
    default: return (format){2, 1, 1, NONE}; /* float4e2m1 */
    }
}

static float magnitude(const format *f, int code)
{
    const int ones = (1 << f->fraction) - 1, e = code >> f->fraction, rest = code & ones;
    const bool top = e == (1 << f->exponent) - 1;
    if (top && f->special == IEEE) return rest ? NAN : INFINITY;
    if (top && f->special == LAST && rest == ones) return NAN;
    return e == 0 ? ldexpf((float)rest, 1 - f->bias - f->fraction)
                  : ldexpf((float)(rest + ones + 1), e - f->bias - f->fraction);
}

float lip_small_float_value(lip_dtype dtype, uint8_t code)
{
    if (dtype == LIP_DTYPE_FLOAT8E8M0) return code == 255 ? NAN : ldexpf(1, code - 127);
    const format f = format_of(dtype);
    const int sign = 1 << (f.exponent + f.fraction), rest = code & (sign - 1);
    if (!(code & sign)) return magnitude(&f, rest);
    return rest == 0 && f.special == NO_ZERO ? NAN : -magnitude(&f, rest);
}

static double largest(const format *f)
{
    const int codes = 1 << (f->exponent + f->fraction);
    const int not_finite = f->special == LAST ? 1 : f->special == IEEE ? 1 << f->fraction : 0;
    return (double)magnitude(f, codes - 1 - not_finite);
}

/* A power of two in 2^-127 .. 2^127. */
static double round_scale(double x, lip_small_rounding rounding)
{
    int e;
    if (!isfinite(x)) return NAN;
    if (x == 0) return 0x1p-127;
    const double fraction = frexp(fabs(x), &e); /* in [1/2, 1) */
    if (fraction == 0.5 || rounding.scale == LIP_SCALE_DOWN || (rounding.scale == LIP_SCALE_NEAREST && fraction < 0.75))
        e--;
    if (e > 127) return rounding.saturate ? 0x1p127 : NAN;
    return ldexp(1, e < -127 ? -127 : e);
}

double lip_small_float_round(lip_dtype dtype, double x, lip_small_rounding rounding)
{
    if (dtype == LIP_DTYPE_FLOAT8E8M0) return round_scale(x, rounding);
    const format f = format_of(dtype);
    if (isnan(x)) return f.special == NONE ? 0 : x;
    const double top = largest(&f);
    double y = INFINITY;
    if (fabs(x) < 4 * top) {
        const int e = x == 0 ? 0 : ilogb(x), least = 1 - f.bias; /* of the quantum, its fraction's last bit */
        const int quantum = (e > least ? e : least) - f.fraction;
        y = ldexp(nearbyint(ldexp(fabs(x), -quantum)), quantum);
    }
    if (y > top) y = rounding.saturate || f.special == NONE ? top : f.special == IEEE ? INFINITY : NAN;
    if (y == 0 && f.special == NO_ZERO) return 0;
    return copysign(y, x);
}
