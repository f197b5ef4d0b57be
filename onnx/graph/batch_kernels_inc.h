/*
 * batch_kernels_inc.h: the kernels of batch_kernels.h as a template, included
 * once per precision by a file that defines
 *   REAL            float or double
 *   NAME(x)         x with a suffix
 *   VECTOR_BYTES    of the instruction set's registers
 *   POSITIONS       rows of a tile: 2 * POSITIONS sums, two rows of weights and one factor fit the registers
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#define LANES ((int64_t)(VECTOR_BYTES / sizeof(REAL)))

typedef REAL NAME(vector) __attribute__((vector_size(VECTOR_BYTES), may_alias));

static inline __attribute__((always_inline)) void NAME(tile)(int64_t width, const void *x, const int64_t *at,
                                                             const int64_t *offset, int64_t terms, const void *w,
                                                             void *acc, bool add)
{
    const REAL *from[POSITIONS];
    const NAME(vector) *row = w;
    NAME(vector) *to = acc, sum[POSITIONS][2];
#pragma GCC unroll 16
    for (int p = 0; p < POSITIONS; p++) {
        from[p] = (const REAL *)x + at[p];
        for (int64_t v = 0; v < width; v++)
            sum[p][v] = add ? to[p * width + v] : (NAME(vector)){ 0 };
    }
    for (int64_t k = 0; k < terms; k++, row += width) {
        const int64_t k_offset = offset[k];
#pragma GCC unroll 16
        for (int p = 0; p < POSITIONS; p++) {
            const REAL factor = from[p][k_offset];
            for (int64_t v = 0; v < width; v++)
                sum[p][v] += row[v] * factor;
        }
    }
#pragma GCC unroll 16
    for (int p = 0; p < POSITIONS; p++)
        for (int64_t v = 0; v < width; v++)
            to[p * width + v] = sum[p][v];
}

static void NAME(tile1)(const void *x, const int64_t *at, const int64_t *offset, int64_t terms, const void *w,
                        void *acc, bool add)
{
    NAME(tile)(1, x, at, offset, terms, w, acc, add);
}

static void NAME(tile2)(const void *x, const int64_t *at, const int64_t *offset, int64_t terms, const void *w,
                        void *acc, bool add)
{
    NAME(tile)(2, x, at, offset, terms, w, acc, add);
}

static void NAME(collect)(const void *acc, int64_t acc_stride, const void *bias, int64_t channels, int64_t count,
                          void *y, int64_t y_stride, bool relu)
{
    for (int64_t c = 0; c < channels; c++) {
        const REAL *from = (const REAL *)acc + c, b = ((const REAL *)bias)[c];
        REAL *to = (REAL *)y + c * y_stride;
        for (int64_t p = 0; p < count; p++) {
            const REAL value = from[p * acc_stride] + b;
            to[p] = relu && value < 0 ? 0 : value;
        }
    }
}

static void NAME(collect_rows)(const void *acc, int64_t acc_stride, const void *bias, int64_t channels,
                               int64_t count, void *y, int64_t y_stride, bool relu)
{
    const REAL *from = acc, *b = bias;
    REAL *to = y;
    for (int64_t p = 0; p < count; p++, from += acc_stride, to += y_stride)
        for (int64_t c = 0; c < channels; c++) {
            const REAL value = from[c] + b[c];
            to[c] = relu && value < 0 ? 0 : value;
        }
}

static void NAME(spread)(const void *from, int64_t from_stride, int64_t rows, int64_t columns, void *to,
                         int64_t to_stride, int64_t to_step)
{
    const REAL *a = from;
    REAL *b = to;
    for (int64_t r = 0; r < rows; r++, a += from_stride, b += to_stride) {
        if (to_step == 1)
            for (int64_t c = 0; c < columns; c++)
                b[c] = a[c];
        else
            for (int64_t c = 0; c < columns; c++)
                b[c * to_step] = a[c];
    }
}

/* One row; a step that the compiler knows becomes shuffles. */
static inline __attribute__((always_inline)) void NAME(add_row)(int64_t columns, REAL w, const REAL *x, int64_t step,
                                                                REAL *y)
{
    for (int64_t c = 0; c < columns; c++)
        y[c] += w * x[c * step];
}

static void NAME(add_rows)(int64_t rows, int64_t columns, const void *w, const void *x, int64_t x_stride, int64_t step,
                           void *y, int64_t y_stride)
{
    const REAL factor = *(const REAL *)w, *from = x;
    REAL *to = y;
    for (int64_t r = 0; r < rows; r++, from += x_stride, to += y_stride)
        if (step == 1)
            NAME(add_row)(columns, factor, from, 1, to);
        else if (step == 2)
            NAME(add_row)(columns, factor, from, 2, to);
        else
            NAME(add_row)(columns, factor, from, step, to);
}

static inline __attribute__((always_inline)) void NAME(max_row)(int64_t columns, const REAL *x, int64_t step, REAL *y)
{
    for (int64_t c = 0; c < columns; c++) {
        const REAL value = x[c * step], most = value > y[c] ? value : y[c];
        y[c] = value != value ? value : most;
    }
}

static void NAME(max_rows)(int64_t rows, int64_t columns, const void *x, int64_t x_stride, int64_t step, void *y,
                           int64_t y_stride)
{
    const REAL *from = x;
    REAL *to = y;
    for (int64_t r = 0; r < rows; r++, from += x_stride, to += y_stride)
        if (step == 1)
            NAME(max_row)(columns, from, 1, to);
        else if (step == 2)
            NAME(max_row)(columns, from, 2, to);
        else
            NAME(max_row)(columns, from, step, to);
}

static void NAME(fill)(int64_t count, const void *value, void *y)
{
    const REAL x = *(const REAL *)value;
    REAL *to = y;
    for (int64_t i = 0; i < count; i++)
        to[i] = x;
}

static void NAME(relu)(int64_t count, const void *x, void *y)
{
    const REAL *from = x;
    REAL *to = y;
    for (int64_t i = 0; i < count; i++)
        to[i] = from[i] < 0 ? 0 : from[i];
}

static void NAME(add)(int64_t count, const void *a, const void *b, void *y)
{
    const REAL *one = a, *two = b;
    REAL *to = y;
    for (int64_t i = 0; i < count; i++)
        to[i] = one[i] + two[i];
}

static void NAME(magnitude)(int64_t count, const void *x, void *y)
{
    const REAL *from = x;
    REAL *to = y;
    for (int64_t i = 0; i < count; i++)
        to[i] = from[i] < 0 ? -from[i] : from[i];
}

static void NAME(from_f64)(int64_t count, const double *x, void *y)
{
    REAL *to = y;
    for (int64_t i = 0; i < count; i++)
        to[i] = (REAL)x[i];
}

static void NAME(to_f64)(int64_t count, const void *x, double *y)
{
    const REAL *from = x;
    for (int64_t i = 0; i < count; i++)
        y[i] = (double)from[i];
}

const lip_kernels NAME(lip_kernels) = {
    .size = sizeof(REAL),
    .lanes = VECTOR_BYTES / sizeof(REAL),
    .positions = POSITIONS,
    .tile = { NAME(tile1), NAME(tile2) },
    .collect = NAME(collect),
    .collect_rows = NAME(collect_rows),
    .spread = NAME(spread),
    .add_rows = NAME(add_rows),
    .max_rows = NAME(max_rows),
    .fill = NAME(fill),
    .relu = NAME(relu),
    .add = NAME(add),
    .magnitude = NAME(magnitude),
    .from_f64 = NAME(from_f64),
    .to_f64 = NAME(to_f64),
};

#undef LANES
#undef REAL
#undef NAME
