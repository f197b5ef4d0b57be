/*
 * test_slopes.c: the slopes of Mish and of the tanh form of Gelu lie in the
 * interval that their rows state: the branch and bound that the files mish.c
 * and gelu.c refer to.
 *
 * On [x - r, x + r], f'(y) <= f'(x) + |f''(x)| r + K r^2 / 2 with K above
 * |f'''| there, and the same downwards. An interval is done when this stays
 * inside [a, b], otherwise it is halved. f' and f'' are evaluated with an
 * error below 1e-14, which is added. Beyond the range the files bound f' by
 * hand.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "op.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define ROUNDING 1e-14

typedef struct curve {
    double (*slope)(double x);
    double (*second)(double x);
    double (*third_upper)(double x); /* of |f'''| on all |y| <= x */
} curve;

static double mish_slope(double x)
{
    double t = tanh(log1p(exp(x))), s = 1 / (1 + exp(-x));
    return t + x * (1 - t * t) * s;
}

/* t' = (1 - t^2) s, t'' = (1 - t^2) (s (1 - s) - 2 t s^2), f'' = 2 t' + x t''. */
static double mish_second(double x)
{
    double t = tanh(log1p(exp(x))), s = 1 / (1 + exp(-x)), q = 1 - t * t;
    return 2 * q * s + x * q * (s * (1 - s) - 2 * t * s * s);
}

static double mish_third(double x)
{
    return 3.1 + 2.7 * x;
}

#define C 0.79788456080286535588
#define CUBIC 0.044715

static double gelu_slope(double x)
{
    double t = tanh(C * (x + CUBIC * x * x * x)), g = C * (1 + 3 * CUBIC * x * x);
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * g;
}

/* t' = (1 - t^2) g', t'' = (1 - t^2) (g'' - 2 t g'^2), f'' = t' + x t'' / 2. */
static double gelu_second(double x)
{
    double t = tanh(C * (x + CUBIC * x * x * x)), g = C * (1 + 3 * CUBIC * x * x), h = 6 * C * CUBIC * x;
    double q = 1 - t * t;
    return q * g + 0.5 * x * q * (h - 2 * t * g * g);
}

static double gelu_third(double x)
{
    double g = C * (1 + 3 * CUBIC * x * x), h = 6 * C * CUBIC * x, i = 6 * C * CUBIC;
    double second = 0.77 * g * g + h, third = 2 * g * g * g + 2.31 * g * h + i;
    return 1.5 * second + 0.5 * x * third;
}

/* Whether every slope on [low, high] is in [a, b]; intervals are halved `depth` times at most. */
static bool holds(const curve *f, double low, double high, double a, double b, int depth)
{
    double x = 0.5 * (low + high), r = 0.5 * (high - low) * (1 + 1e-12);
    double k = f->third_upper(fmax(fabs(low), fabs(high)));
    double spread = fabs(f->second(x)) * r + 0.5 * k * r * r + ROUNDING, slope = f->slope(x);
    if (slope + spread <= b && slope - spread >= a) return true;
    if (depth == 0 || slope > b || slope < a) return false;
    return holds(f, low, x, a, b, depth - 1) && holds(f, x, high, a, b, depth - 1);
}

static void check(const lip_gain *gain, const curve *f, double range)
{
    assert_int_equal(gain->kind, LIP_GAIN_SLOPES);
    double a = gain->slopes.a, b = gain->slopes.b;
    assert_true(holds(f, -range, range, a, b, 60));
    assert_false(holds(f, -range, range, a, b * 0.999, 60));
    assert_false(holds(f, -range, range, a * 0.999, b, 60));
    assert_false(holds(f, -range, range, a, b - gain->slopes.slack, 60));
}

static void test_mish(void **state)
{
    (void)state;
    static const curve mish = {mish_slope, mish_second, mish_third};
    check(&lip_op_find("", "Mish")->gain, &mish, 12);
}

static void test_gelu_tanh(void **state)
{
    (void)state;
    static const curve gelu = {gelu_slope, gelu_second, gelu_third};
    check(&lip_op_find("com.microsoft", "FastGelu")->gain, &gelu, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mish),
        cmocka_unit_test(test_gelu_tanh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
