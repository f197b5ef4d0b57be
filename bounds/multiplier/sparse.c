/*
 * sparse.c: see sparse.h.
 *
 * For a row C = sum_m A_m B_m with A^ = A (1 + d), |d| <= ra, and
 * B^_m within rb |B^_m| + R_m: the computed sum of t products obeys
 *     |C^ - C| <= sum_m |A^_m| (gamma_{t+1} + ra + rb + second order) |B^_m| + |A_m| |R_m|,
 * whose norm is at most the formula in the header; second-order terms are
 * covered by the factor 1 + 2^-20 (all relative errors are below 2^-30).
 * Products that underflow are off by at most 2^-1074 each.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "sparse.h"
#include "rounding.h"

#include <string.h>

static const double MORE = 1 + 0x1p-20;

bool lip_rows_begin(lip_rows_builder *builder, lip_arena *arena, int64_t rows, int64_t cols)
{
    *builder = (lip_rows_builder) { .arena = arena, .m = { .rows = rows, .cols = cols } };
    builder->m.start = lip_arena_alloc(arena, rows + 1, sizeof(int64_t));
    return builder->m.start != NULL;
}

static bool grow(lip_rows_builder *b)
{
    int64_t count = b->m.start[b->row + 1], room = b->room < 512 ? 1024 : 2 * b->room;
    int32_t *col = lip_arena_alloc(b->arena, room, sizeof *col);
    double *value = lip_arena_alloc(b->arena, room, sizeof *value);
    if (!col || !value)
        return false;
    if (count > 0) {
        memcpy(col, b->m.col, (size_t)count * sizeof *col);
        memcpy(value, b->m.value, (size_t)count * sizeof *value);
    }
    b->m.col = col;
    b->m.value = value;
    b->room = room;
    return true;
}

bool lip_rows_put(lip_rows_builder *b, int64_t col, double value)
{
    int64_t *end = &b->m.start[b->row + 1];
    if (*end == b->room && !grow(b))
        return false;
    b->m.col[*end] = (int32_t)col;
    b->m.value[(*end)++] = value;
    return true;
}

void lip_rows_next(lip_rows_builder *b)
{
    b->row++;
    if (b->row < b->m.rows)
        b->m.start[b->row + 1] = b->m.start[b->row];
}

/* A row being added up: values by column, and the columns in use. */
typedef struct accumulator {
    double *sum;
    int32_t *used, *mark; /* mark[col] = row + 1 where in use */
    int64_t count;
    bool several; /* an element got more than one term */
} accumulator;

static bool open_accumulator(accumulator *a, int64_t cols, lip_arena *arena)
{
    a->sum = lip_alloc(arena->memory, cols, sizeof *a->sum);
    a->used = lip_alloc(arena->memory, cols, sizeof *a->used);
    a->mark = lip_alloc(arena->memory, cols, sizeof *a->mark);
    return a->sum && a->used && a->mark;
}

static void close_accumulator(accumulator *a, lip_arena *arena)
{
    lip_free(arena->memory, a->sum);
    lip_free(arena->memory, a->used);
    lip_free(arena->memory, a->mark);
}

static void add_row(accumulator *a, int64_t row, double factor, const lip_rows *b, int64_t from)
{
    for (int64_t e = b->start[from]; e < b->start[from + 1]; e++) {
        int32_t col = b->col[e];
        if (a->mark[col] != row + 1) {
            a->mark[col] = (int32_t)(row + 1);
            a->used[a->count++] = col;
            a->sum[col] = factor * b->value[e];
        } else {
            a->several = true;
            a->sum[col] += factor * b->value[e];
        }
    }
}

static bool flush_row(accumulator *a, lip_rows_builder *out)
{
    for (int64_t i = 0; i < a->count; i++)
        if (!lip_rows_put(out, a->used[i], a->sum[a->used[i]]))
            return false;
    lip_rows_next(out);
    a->count = 0;
    return true;
}

static double *row_norms(const lip_rows *m, lip_memory *memory)
{
    double *norm = lip_alloc(memory, m->rows, sizeof *norm);
    for (int64_t i = 0; norm && i < m->rows; i++)
        norm[i] = lip_norm_upper(m->value + m->start[i], m->start[i + 1] - m->start[i]);
    return norm;
}

/* sum_m |A_m| (absolute_B[m] + rate norm_B[m]) for one row of A. */
static double row_error(const lip_rows *a, int64_t row, const lip_enclosed *b, const double *norm, double rate)
{
    double sum = 0;
    for (int64_t e = a->start[row]; e < a->start[row + 1]; e++) {
        int32_t m = a->col[e];
        double absolute = b->absolute ? b->absolute[m] : 0;
        sum += fabs(a->value[e]) * (absolute * MORE + rate * norm[m]);
    }
    return lip_mul_up(sum, MORE * MORE);
}

bool lip_enclosed_product(const lip_rows *a, double a_relative, const lip_enclosed *b, lip_arena *arena,
                          lip_enclosed *out)
{
    accumulator sum = { 0 };
    lip_rows_builder builder;
    double *absolute = lip_arena_alloc(arena, a->rows, sizeof *absolute), *norm = row_norms(&b->m, arena->memory);
    bool fine = open_accumulator(&sum, b->m.cols, arena) && absolute && norm &&
                lip_rows_begin(&builder, arena, a->rows, b->m.cols);
    bool any_absolute = b->absolute != NULL;
    for (int64_t i = 0; fine && i < a->rows; i++) {
        int64_t terms = a->start[i + 1] - a->start[i];
        sum.several = false;
        for (int64_t e = a->start[i]; e < a->start[i + 1]; e++)
            add_row(&sum, i, a->value[e], &b->m, a->col[e]);
        double rate = sum.several ? a_relative + b->relative + lip_gamma((double)terms + 2) : 0;
        absolute[i] = lip_add_up(row_error(a, i, b, norm, rate), (double)(terms + 1) * (double)sum.count * LIP_TINY);
        any_absolute = any_absolute || sum.several;
        fine = flush_row(&sum, &builder);
    }
    close_accumulator(&sum, arena);
    lip_free(arena->memory, norm);
    if (fine) /* elements that took one product have this error, and those of several have it besides R */
        *out = (lip_enclosed) { builder.m, (a_relative + b->relative + 2 * LIP_UNIT) * MORE, absolute };
    return fine;
}

bool lip_enclosed_sum(double ca, const lip_enclosed *a, double cb, const lip_enclosed *b, lip_arena *arena,
                      lip_enclosed *out)
{
    accumulator sum = { 0 };
    lip_rows_builder builder;
    double *absolute = lip_arena_alloc(arena, a->m.rows, sizeof *absolute);
    bool fine = open_accumulator(&sum, a->m.cols, arena) && absolute &&
                lip_rows_begin(&builder, arena, a->m.rows, a->m.cols);
    double relative = (fmax(a->relative, b->relative) + 3 * LIP_UNIT) * MORE;
    for (int64_t i = 0; fine && i < a->m.rows; i++) {
        sum.several = false;
        add_row(&sum, i, ca, &a->m, i);
        add_row(&sum, i, cb, &b->m, i);
        double error = lip_add_up(a->absolute ? fabs(ca) * a->absolute[i] : 0,
                                  b->absolute ? fabs(cb) * b->absolute[i] : 0);
        if (sum.several) {
            double na = lip_norm_upper(a->m.value + a->m.start[i], a->m.start[i + 1] - a->m.start[i]);
            double nb = lip_norm_upper(b->m.value + b->m.start[i], b->m.start[i + 1] - b->m.start[i]);
            error = lip_add_up(error, relative * (fabs(ca) * na + fabs(cb) * nb));
        }
        absolute[i] = lip_add_up(lip_mul_up(error, MORE), (double)sum.count * 2 * LIP_TINY);
        fine = flush_row(&sum, &builder);
    }
    close_accumulator(&sum, arena);
    if (fine)
        *out = (lip_enclosed) { builder.m, relative, absolute };
    return fine;
}

bool lip_enclosed_gather(const lip_enclosed *parts, const int32_t *source, const int64_t *index, int64_t rows,
                         lip_arena *arena, lip_enclosed *out)
{
    lip_rows_builder builder;
    double *absolute = lip_arena_alloc(arena, rows, sizeof *absolute), relative = 0;
    bool fine = absolute && lip_rows_begin(&builder, arena, rows, parts[source[0]].m.cols);
    for (int64_t i = 0; fine && i < rows; i++) {
        const lip_enclosed *part = &parts[source[i]];
        for (int64_t e = part->m.start[index[i]]; fine && e < part->m.start[index[i] + 1]; e++)
            fine = lip_rows_put(&builder, part->m.col[e], part->m.value[e]);
        absolute[i] = part->absolute ? part->absolute[index[i]] : 0;
        relative = fmax(relative, part->relative);
        lip_rows_next(&builder);
    }
    if (fine)
        *out = (lip_enclosed) { builder.m, relative, absolute };
    return fine;
}
