/*
 * test_small_float.c: floating-point types of 8 bits or fewer: their values,
 * rounding against a search through all codes, and what a model may do with
 * them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "check_model.h"

#include "graph.h"
#include "graph/small_float.h"

#include <math.h>
#include <string.h>

static const lip_dtype types[] = {LIP_DTYPE_FLOAT8E4M3FN, LIP_DTYPE_FLOAT8E4M3FNUZ, LIP_DTYPE_FLOAT8E5M2,
                                  LIP_DTYPE_FLOAT8E5M2FNUZ, LIP_DTYPE_FLOAT4E2M1};
static const double tops[] = {448, 240, 57344, 57344, 6}, least[] = {0x1p-9, 0x1p-10, 0x1p-16, 0x1p-17, 0.5};
static const int nans[] = {2, 1, 6, 1, 0};
enum { TYPES = sizeof types / sizeof *types };
static const lip_small_rounding saturate = {.saturate = true}, overflow = {.saturate = false};

static int codes_of(lip_dtype dtype)
{
    return dtype == LIP_DTYPE_FLOAT4E2M1 ? 16 : 256;
}

static void test_values(void **state)
{
    (void)state;
    for (int t = 0; t < TYPES; t++) {
        double top = 0, small = INFINITY;
        int missing = 0;
        for (int code = 0; code < codes_of(types[t]); code++) {
            const double x = (double)lip_small_float_value(types[t], (uint8_t)code);
            missing += isnan(x);
            if (isfinite(x) && x > top) top = x;
            if (x > 0 && x < small) small = x;
            if (!isnan(x)) assert_true(isinf(x) || lip_small_float_round(types[t], x, overflow) == x);
        }
        assert_true(top == tops[t] && small == least[t]);
        assert_int_equal(missing, nans[t]);
    }
    assert_true(lip_small_float_value(LIP_DTYPE_FLOAT8E5M2, 0xfc) == -INFINITY);
    assert_true(lip_small_float_value(LIP_DTYPE_FLOAT4E2M1, 0xf5) == 3);
}

/* The nearest code's value; of two, the even code's. */
static double nearest(lip_dtype dtype, double x)
{
    double best = NAN, distance = INFINITY;
    for (int code = 0; code < codes_of(dtype); code++) {
        const double y = (double)lip_small_float_value(dtype, (uint8_t)code), d = fabs(x - y);
        if (!isfinite(y) || d > distance || (d == distance && code % 2 != 0)) continue;
        best = y;
        distance = d;
    }
    return best;
}

static void test_rounding(void **state)
{
    (void)state;
    for (int t = 0; t < TYPES; t++) {
        uint64_t seed = 1;
        for (int i = 0; i < 4000; i++) {
            seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            /* Few bits: ties and exact values are among them. */
            const double part = (double)(int64_t)(seed >> 58) - 32, x = ldexp(part, (int)(seed >> 40 & 31) - 21);
            assert_true(lip_small_float_round(types[t], x, saturate) == nearest(types[t], x));
        }
        const double next = nextafter(tops[t], INFINITY), far = 1e30, found[] = {
            lip_small_float_round(types[t], next, overflow), lip_small_float_round(types[t], -far, saturate),
            lip_small_float_round(types[t], -far, overflow), lip_small_float_round(types[t], INFINITY, saturate)};
        assert_true(found[0] == tops[t] && found[1] == -tops[t] && found[3] == tops[t]);
        assert_true(types[t] == LIP_DTYPE_FLOAT4E2M1   ? found[2] == -6
                    : types[t] == LIP_DTYPE_FLOAT8E5M2 ? found[2] == -INFINITY
                                                       : isnan(found[2]));
        assert_true(isnan(lip_small_float_round(types[t], NAN, saturate)) == (types[t] != LIP_DTYPE_FLOAT4E2M1));
    }
    assert_true(signbit(lip_small_float_round(LIP_DTYPE_FLOAT8E4M3FN, -1e-9, saturate)));
    assert_false(signbit(lip_small_float_round(LIP_DTYPE_FLOAT8E4M3FNUZ, -1e-9, saturate)));
}

static void test_powers_of_two(void **state)
{
    (void)state;
    const lip_dtype type = LIP_DTYPE_FLOAT8E8M0;
    const lip_small_rounding up = {.saturate = true}, down = {true, LIP_SCALE_DOWN}, near = {false, LIP_SCALE_NEAREST};
    for (int code = 0; code < 255; code++) {
        const double x = (double)lip_small_float_value(type, (uint8_t)code), y = x * 1.5;
        assert_true(x == ldexp(1, code - 127));
        assert_true(lip_small_float_round(type, x, up) == x && lip_small_float_round(type, x, near) == x);
        assert_true(lip_small_float_round(type, -y, up) == fmin(2 * x, 0x1p127));
        assert_true(lip_small_float_round(type, y, down) == x);
        assert_true(lip_small_float_round(type, nextafter(y, 0), near) == x);
        assert_true(code == 254 ? isnan(lip_small_float_round(type, y, near))
                                : lip_small_float_round(type, y, near) == 2 * x);
    }
    assert_true(isnan(lip_small_float_value(type, 255)) && isnan(lip_small_float_round(type, INFINITY, up)));
    assert_true(lip_small_float_round(type, 0, up) == 0x1p-127);
    assert_true(lip_small_float_round(type, 0x1p-140, up) == 0x1p-127);
}

/* x W with W stored in 8 bits, and a node that must not read 8 bits. */
static lip_model *open_product(build *b, bool dequantised)
{
    const uint8_t weights[] = {0x38, 0xb8, 0x7e, 0x01}; /* 1, -1, 448, 2^-9 */
    build_input(b, "x", "1x2");
    build_raw(b, "w", LIP_DTYPE_FLOAT8E4M3FN, "2x2", weights, sizeof weights);
    build_floats(b, "s", "", (const float[]){0.5F});
    build_node(b, "DequantizeLinear", "w s", "v");
    build_node(b, "MatMul", dequantised ? "x v" : "x w", "y");
    build_output(b, "y");
    return check_open(b, NULL);
}

static void test_weights(void **state)
{
    (void)state;
    build *b = build_new(19);
    lip_error error;
    lip_model *model = open_product(b, true);
    double y[2];
    const double x[] = {2, 3}, *inputs[] = {x};
    assert_int_equal(lip_model_forward(model, inputs, y, &error), LIP_OK);
    assert_true(y[0] == 1 + 3 * 224 && y[1] == -1 + 3 * 0x1p-10);
    lip_model_free(&model);
    build_free(b);
}

static void test_nothing_computes_with_them(void **state)
{
    (void)state;
    build *b = build_new(19);
    lip_model *model = open_product(b, false);
    assert_non_null(model->nodes[0]->unknown);
    assert_non_null(strstr(model->nodes[0]->unknown, "float8e4m3fn"));
    lip_model_free(&model);
    build_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_powers_of_two),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_nothing_computes_with_them),
    };
    return cmocka_run_group_tests_name("small_float", tests, NULL, NULL);
}
