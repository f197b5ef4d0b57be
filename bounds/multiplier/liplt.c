/*
 * liplt.c: see liplt.h.
 *
 * In the words of system.h a neuron's g = s dz with s in [0, width]. With
 * h = width / 2, s = h (1 + t), |t| <= 1, hence
 *     g = h (dz + e),  |e| <= |dz|;   of a PASS: du = gain e, ||e|| <= ||dz||.
 * Substituted in topological order, all variables are linear in the sources x
 * and e_1 .. e_l (a vector for each layer): v = F (x, e), where row i of F is
 *     INPUT: unit;  SLOPE: h (Z_i F + unit);  PASS: gain unit.
 * So with P_k = Z_k F the rows of layer k, its blocks P_k0 (of x) and P_kj (of e_j), j < k,
 *     ||dz_k|| <= m_k ||dx||,  m_k = ||P_k0|| + sum over j < k of ||P_kj|| m_j,
 * and the same for Y F, the logits, and for differences of its rows. On a chain this is the recursion of LipLT
 * with slopes in [a, b]. A neuron of width 0 has no e, and its row no part in m_k.
 *
 * Rounding. P_k is computed as an enclosed matrix (sparse.h); rows of Z that carry an absolute error r_i add
 * r_i ||F||_F. A block's norm is at most that of the computed block, elements within `relative`, as lip_dense_norm
 * proves it, and the Euclidean norm of the rows' absolute errors, which covers each block.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "liplt.h"

#include "compose/workers.h"
#include "linear/dense.h"
#include "rounding.h"

#include <string.h>

static const double MOST_PRODUCTS = 1.5e9, MOST_FLOPS = 6e10, MORE = 1 + 0x1p-20;

/* Rows of dz that share a source e (the logits: none), and the variables that stand for e. */
typedef struct stage {
    int64_t first, end; /* SLOPE or AUX variables */
    int64_t source, source_end;
    lip_enclosed rows;  /* P_k */
    double error;       /* norm of the absolute errors of the rows that count */
    double *block;      /* norms of the blocks, that of x first */
    double reach;       /* m_k */
} stage;

typedef struct expansion {
    const lip_system *system;
    lip_memory *memory;
    lip_arena arena;
    stage *stages; /* the last one: the logits */
    int64_t count;
    lip_rows_builder f;
    double relative, *absolute; /* of F */
    double products, flops;
    uint64_t seed;
} expansion;

static bool counts(const expansion *x, const stage *s, int64_t row)
{
    return s->first == s->end || x->system->variable[s->first + row].constant > 0;
}

static bool find_stages(expansion *x)
{
    const lip_system *s = x->system;
    int64_t most = 1;
    for (int64_t i = s->inputs; i < s->variables; i++)
        most += i == s->inputs || s->variable[i].plan != s->variable[i - 1].plan;
    x->stages = lip_arena_alloc(&x->arena, most, sizeof *x->stages);
    for (int64_t i = s->inputs; x->stages && i < s->variables;) {
        stage *to = &x->stages[x->count++];
        lip_variable_kind kind = s->variable[i].kind;
        int32_t plan = s->variable[i].plan;
        to->first = to->source = i;
        while (i < s->variables && s->variable[i].plan == plan && s->variable[i].kind == kind)
            i++;
        to->end = to->source_end = i;
        if (kind != LIP_VAR_AUX)
            continue;
        to->source = i;
        while (i < s->variables && s->variable[i].plan == plan)
            i++;
        to->source_end = i;
    }
    x->count += x->stages != NULL;
    for (int64_t k = 0; k < x->count; k++)
        if (!(x->stages[k].block = lip_arena_alloc(&x->arena, x->count, sizeof(double))))
            return false;
    return x->stages != NULL;
}

/* The first `rows` rows of F. */
static lip_enclosed known(const expansion *x, int64_t rows)
{
    lip_enclosed f = { x->f.m, x->relative, x->absolute };
    f.m.rows = rows;
    return f;
}

static double frobenius(const lip_enclosed *f)
{
    double norm = lip_norm_upper(f->m.value, f->m.start[f->m.rows]);
    return lip_add_up(lip_mul_up(norm, 1 + 2 * f->relative), lip_norm_upper(f->absolute, f->m.rows));
}

static bool is_affordable(expansion *x, const lip_rows *a)
{
    const int64_t *start = x->f.m.start;
    for (int64_t e = a->start[0]; e < a->start[a->rows]; e++)
        x->products += (double)(start[a->col[e] + 1] - start[a->col[e]]);
    return x->products <= MOST_PRODUCTS;
}

/* s->rows := rows `first` .. of an enclosed matrix, times F. */
static bool multiply(expansion *x, const lip_enclosed *z, int64_t first, int64_t rows, int64_t known_rows, stage *s)
{
    lip_rows a = { rows, z->m.cols, z->m.start + first, z->m.col, z->m.value };
    lip_enclosed f = known(x, known_rows);
    double *absolute = lip_arena_alloc(&x->arena, rows, sizeof *absolute), f_norm = z->absolute ? frobenius(&f) : 0;
    if (!absolute || !is_affordable(x, &a) || !lip_enclosed_product(&a, z->relative, &f, &x->arena, &s->rows))
        return false;
    for (int64_t i = 0; i < rows; i++) {
        double own = z->absolute ? lip_mul_up(z->absolute[first + i], lip_mul_up(f_norm, MORE)) : 0;
        absolute[i] = lip_add_up(s->rows.absolute[i], own);
    }
    s->rows.absolute = absolute;
    return true;
}

static bool put_scaled(expansion *x, const stage *s, int64_t row)
{
    const lip_rows *m = &s->rows.m;
    int64_t variable = s->first + row, terms = m->start[row + 1] - m->start[row];
    double h = x->system->variable[variable].constant / 2;
    for (int64_t e = m->start[row]; h > 0 && e < m->start[row + 1]; e++)
        if (!lip_rows_put(&x->f, m->col[e], h * m->value[e]))
            return false;
    x->absolute[variable] = lip_add_up(lip_mul_up(h, s->rows.absolute[row]), (double)(terms + 1) * LIP_TINY);
    return h == 0 || lip_rows_put(&x->f, variable, h);
}

/* The stage's rows of F. */
static bool extend(expansion *x, const stage *s)
{
    double squared = 0;
    bool slopes = x->system->variable[s->first].kind == LIP_VAR_SLOPE, fine = true;
    for (int64_t i = s->first; fine && i < s->end; i++) {
        squared = fmax(squared, x->system->variable[i].constant);
        fine = !slopes || put_scaled(x, s, i - s->first);
        lip_rows_next(&x->f);
    }
    for (int64_t i = s->source; fine && !slopes && i < s->source_end; i++) {
        fine = lip_rows_put(&x->f, i, lip_sqrt_up(squared));
        lip_rows_next(&x->f);
    }
    x->relative = fmax(x->relative, (s->rows.relative + 2 * LIP_UNIT) * MORE);
    return fine;
}

static bool expand(expansion *x)
{
    const lip_system *s = x->system;
    x->absolute = lip_arena_alloc(&x->arena, s->variables, sizeof *x->absolute);
    if (!x->absolute || !find_stages(x) || !lip_rows_begin(&x->f, &x->arena, s->variables, s->variables))
        return false;
    for (int64_t i = 0; i < s->inputs; i++) {
        if (!lip_rows_put(&x->f, i, 1))
            return false;
        lip_rows_next(&x->f);
    }
    for (int64_t k = 0; k + 1 < x->count; k++) {
        stage *to = &x->stages[k];
        if (!multiply(x, &s->z, to->first, to->end - to->first, to->first, to) || !extend(x, to))
            return false;
    }
    return multiply(x, &s->y, 0, s->classes, s->variables, &x->stages[x->count - 1]);
}

/* Columns of block j of any stage: those of x, or of the source of stage j - 1. */
static void block_columns(const expansion *x, int64_t j, int64_t *first, int64_t *end)
{
    *first = j == 0 ? 0 : x->stages[j - 1].source;
    *end = j == 0 ? x->system->inputs : x->stages[j - 1].source_end;
}

static bool price_norms(expansion *x)
{
    for (int64_t k = 0; k < x->count; k++)
        for (int64_t j = 0; j <= k; j++) {
            int64_t first, end;
            block_columns(x, j, &first, &end);
            double rows = (double)x->stages[k].rows.m.rows, cols = (double)(end - first), narrow = fmin(rows, cols);
            x->flops += rows * cols * narrow + narrow * narrow * narrow / 3;
        }
    return x->flops <= MOST_FLOPS;
}

/* Upper bound of the norm of one block; job index: stage * count + block. */
static void measure_block(void *context, size_t index)
{
    expansion *x = context;
    int64_t k = (int64_t)index / x->count, j = (int64_t)index % x->count, first, end, elements = 0;
    stage *s = &x->stages[k];
    const lip_rows *m = &s->rows.m;
    block_columns(x, j, &first, &end);
    s->block[j] = (double)INFINITY;
    double *dense = lip_alloc(x->memory, m->rows * (end - first), sizeof *dense);
    if (!dense)
        return;
    for (int64_t i = 0; i < m->rows; i++)
        for (int64_t e = m->start[i]; counts(x, s, i) && e < m->start[i + 1]; e++)
            if (m->col[e] >= first && m->col[e] < end) {
                dense[i * (end - first) + m->col[e] - first] = m->value[e];
                elements++;
            }
    lip_matrix matrix = { dense, m->rows, end - first };
    lip_panels panels = lip_matrix_panels(&matrix, s->rows.relative);
    lip_random random = lip_random_seed(x->seed, index);
    lip_norm norm = { .upper = 0 };
    if (elements == 0 || lip_dense_norm(&panels, 0, &random, x->memory, &norm, NULL) == LIP_OK)
        s->block[j] = lip_add_up(norm.upper, s->error);
    lip_free(x->memory, dense);
}

static bool measure(expansion *x, int threads)
{
    size_t *order = lip_arena_alloc(&x->arena, x->count * (x->count + 1) / 2, sizeof *order), jobs = 0;
    for (int64_t k = 0; order && k < x->count; k++) {
        stage *s = &x->stages[k];
        double *absolute = lip_arena_alloc(&x->arena, s->rows.m.rows, sizeof *absolute);
        if (!absolute)
            return false;
        for (int64_t i = 0; i < s->rows.m.rows; i++)
            absolute[i] = counts(x, s, i) ? s->rows.absolute[i] : 0;
        s->error = lip_norm_upper(absolute, s->rows.m.rows);
        for (int64_t j = 0; j <= k; j++)
            order[jobs++] = (size_t)(k * x->count + j);
    }
    lip_run_jobs(measure_block, x, order, jobs, threads);
    return order != NULL;
}

/* sum of block norms times what their sources may be. */
static double compose(const expansion *x, const double *block, int64_t k)
{
    double sum = block[0];
    for (int64_t j = 1; j <= k; j++)
        sum = lip_add_up(sum, lip_mul_up(block[j], x->stages[j - 1].reach));
    return sum;
}

/* Row i, or its difference from row j, in `dense`; each block's norm, errors included. */
static void difference(const expansion *x, int64_t i, int64_t j, double *dense, double *block)
{
    const stage *s = &x->stages[x->count - 1];
    const lip_rows *m = &s->rows.m;
    double error = lip_add_up(s->rows.absolute[i], s->rows.absolute[j]);
    double rate = (s->rows.relative + LIP_UNIT) * MORE;
    double *both = dense + x->system->variables;
    memset(dense, 0, 2 * (size_t)x->system->variables * sizeof *dense);
    for (int64_t e = m->start[i]; e < m->start[i + 1]; e++) {
        dense[m->col[e]] = m->value[e];
        both[m->col[e]] = fabs(m->value[e]);
    }
    for (int64_t e = m->start[j]; e < m->start[j + 1]; e++) {
        dense[m->col[e]] -= m->value[e];
        both[m->col[e]] += fabs(m->value[e]);
    }
    for (int64_t b = 0; b < x->count; b++) {
        int64_t first, end;
        block_columns(x, b, &first, &end);
        double rounding = lip_mul_up(rate * MORE, lip_norm_upper(both + first, end - first));
        block[b] = lip_add_up(lip_add_up(lip_norm_upper(dense + first, end - first), rounding), error);
    }
}

static bool bound_pairs(expansion *x, double *pairs)
{
    int64_t k = x->system->classes;
    double *dense = lip_arena_alloc(&x->arena, 2 * x->system->variables, sizeof *dense);
    double *block = lip_arena_alloc(&x->arena, x->count, sizeof *block);
    for (int64_t i = 0; dense && block && i < k; i++) {
        pairs[i * k + i] = 0;
        for (int64_t j = i + 1; j < k; j++) {
            difference(x, i, j, dense, block);
            pairs[i * k + j] = pairs[j * k + i] = compose(x, block, x->count - 1);
        }
    }
    return dense && block;
}

bool lip_liplt(const lip_system *system, int threads, uint64_t seed, lip_memory *memory, double *network_upper,
               double *pairs)
{
    expansion x = { .system = system, .memory = memory, .seed = seed };
    lip_arena_init(&x.arena, memory);
    bool fine = expand(&x) && price_norms(&x) && measure(&x, threads);
    for (int64_t k = 0; fine && k < x.count; k++)
        x.stages[k].reach = compose(&x, x.stages[k].block, k);
    if (fine && pairs)
        fine = bound_pairs(&x, pairs);
    if (fine)
        *network_upper = x.stages[x.count - 1].reach;
    lip_arena_free(&x.arena);
    return fine;
}
