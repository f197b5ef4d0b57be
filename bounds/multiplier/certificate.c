/*
 * certificate.c: the proof.
 *
 * By system.h, |dy| <= L |dx| follows from
 *     P = [ J(T)  C' ]  >= 0,   C the rows of the outputs in question (Y, or y_i - y_j for a pair),
 *         [ C    L^2 I ]
 * since its Schur complement is J - C'C / L^2. P >= 0 is the same as S P S >= 0 for a diagonal S; S holds powers of
 * two that bring the diagonal into [1, 4). Let B be the floating-point matrix
 *     B = fl(S P S) - c I,   diagonal rounded down,
 * ||fl(S P S) - S P S||_2 <= e off the diagonal, and let the Cholesky factorisation of B run to completion with
 * positive finite pivots. As in linear/cholesky.c, L L' = B + D with ||D||_2 <= sum_j (k_j + 5) u B_jj, now with k_j
 * the terms of the inner products of row j: |D_ij| <= gamma_{k+1} |l_i|'|l_j| with k = min(k_i, k_j) + 1 terms at
 * most (elements outside of the tiles are exact zeros), hence D is bounded by d_i d_j, d_j^2 = (k_j + 5) u B_jj. With
 *     c >= sum_j (k_j + 5) u B_jj + e + underflow
 * S P S >= B + c I - e I >= (c - e) I - D >= 0. The sum runs over all rows, those of C among them with a diagonal
 * below 4 each and k = n + row.
 *
 * The rows of C are appended: R = fl(C S L^-T) are rows of the factor of B, and the last step of the factorisation is
 * that of (fl(L^2 S S) - c) I - R R': a number for a pair, a small matrix for the network. One shift c serves
 * all of them, so J is factorised once; each L is tested on its own.
 *
 * e: an element off the diagonal is fl(f_i z_ij s_i s_j), f_i = fl(width T) or 1, and z_ij is known by sparse.h up to
 * relative |z_ij| and a row error absolute_i. So it is off by at most (relative + 4 u) |B_ij| + f_i s_i absolute_i
 * max s in the row's norm; the error matrix is its lower triangle and the transpose, and
 *     e = 2 sqrt(sum over rows (that norm)^2).
 * For pairs, |fl(y_i - y_j) - (y_i - y_j)| <= u |y_i - y_j| + relative (|y_i| + |y_j|) elementwise, + absolute of both.
 *
 * The diagonal is exact but for AUX, rounded down, which only lowers B.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "certificate.h"

#include "rounding.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

static const double MORE = 1 + 0x1p-20;
enum { RAISES = 10 };

/* Scales that bring the diagonal into [1, 4); false where an element is not positive and finite. */
static bool choose_scales(const lip_system *s, const double *multipliers, double *scale)
{
    for (int64_t i = 0; i < s->variables; i++) {
        double t = lip_form_multiplier(&s->variable[i], multipliers);
        double diagonal = lip_form_diagonal(&s->variable[i], t);
        if (!(t > 0x1p-500 && t < 0x1p500) || !(diagonal > 0x1p-900) || !isfinite(diagonal))
            return false;
        int exponent = ilogb(diagonal);
        scale[i] = ldexp(1, -(exponent - (exponent & 1)) / 2); /* floor to even, negative ones too */
    }
    return true;
}

static double largest(const double *x, int64_t n)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++)
        most = fmax(most, x[i]);
    return most;
}

/* Squared norm of the error of row i of an enclosed matrix, scaled: factor on the whole row, scale on columns. */
static double row_error(const lip_enclosed *a, int64_t row, double factor, const double *scale, double most)
{
    double sum = 0;
    for (int64_t e = a->m.start[row]; e < a->m.start[row + 1]; e++) {
        double value = factor * a->m.value[e] * scale[a->m.col[e]];
        sum += value * value;
    }
    double terms = (double)(a->m.start[row + 1] - a->m.start[row]);
    double elements = (a->relative + 5 * LIP_UNIT) * sqrt(sum) * (1 + lip_gamma(terms + 8));
    double absolute = a->absolute ? fabs(factor) * a->absolute[row] * most * MORE : 0;
    return (elements + absolute + terms * 0x1p-1000) * MORE;
}

/* Sum of (k_j + 5) u B_jj over the variables, B_jj < 4 as scaled. */
static double factor_error(const lip_form *form, const double *multipliers, const double *scale)
{
    const lip_system *s = form->system;
    double sum = 0;
    for (int64_t i = 0; i < s->variables; i++) {
        double t = lip_form_multiplier(&s->variable[i], multipliers);
        double diagonal = lip_form_diagonal(&s->variable[i], t) * scale[i] * scale[i];
        sum += ((double)lip_tiled_terms(&form->tiles, form->position[i]) + 6) * diagonal;
    }
    return lip_mul_up(sum, LIP_UNIT * MORE);
}

static double matrix_error(const lip_system *s, const double *multipliers, const double *scale)
{
    double most = largest(scale, s->variables), sum = 0;
    for (int64_t i = 0; i < s->variables; i++) {
        if (s->z.m.start[i] == s->z.m.start[i + 1])
            continue;
        double t = lip_form_multiplier(&s->variable[i], multipliers);
        double error = row_error(&s->z, i, lip_form_factor(&s->variable[i], t) * scale[i], scale, most);
        sum += error * error;
    }
    return sum;
}

/* Rows of the outputs, scaled by columns only, in the form's order. */
static void place_rows(const lip_form *form, const double *scale, bool with_pairs, double *rows, int64_t height)
{
    const lip_system *s = form->system;
    const lip_rows *y = &s->y.m;
    for (int64_t k = 0; k < s->classes; k++)
        for (int64_t e = y->start[k]; e < y->start[k + 1]; e++)
            rows[form->position[y->col[e]] * height + k] = y->value[e] * scale[y->col[e]];
    for (int64_t i = 0, row = s->classes; with_pairs && i < s->classes; i++)
        for (int64_t j = i + 1; j < s->classes; j++, row++)
            for (int64_t c = 0; c < s->variables; c++)
                rows[c * height + row] = rows[c * height + i] - rows[c * height + j];
}

/* Squared errors of the rows: all outputs together, and the worst pair. Unscaled rows (exponents come later). */
static void output_errors(const lip_system *s, const double *scale, double *errors)
{
    double most = largest(scale, s->variables);
    for (int64_t k = 0; k < s->classes; k++)
        errors[k] = row_error(&s->y, k, 1, scale, most);
}

double lip_certificate_output_error(const lip_certificate_of *c, const double *errors)
{
    double all = 0, worst = 0;
    for (int64_t k = 0; k < c->classes; k++) {
        double error = ldexp(errors[k], -(int)c->network_exponent);
        all += error * error;
    }
    for (int64_t i = 0, pair = 0; c->pairs > 0 && i < c->classes; i++)
        for (int64_t j = i + 1; j < c->classes; j++, pair++)
            worst = fmax(worst, ldexp((errors[i] + errors[j]) * 2, -(int)c->exponent[pair]));
    return fmax(all, worst * worst) * MORE;
}

static int scale_of(double norm) { return norm > 0x1p-400 && norm < 0x1p400 ? ilogb(norm) : 0; }

/* Powers of two scale the rows' whole computation, as if they had been there from its start. */
void lip_certificate_measure(lip_certificate_of *c, int64_t variables, double *rows)
{
    blasint height = (blasint)(c->classes + c->pairs), k = (blasint)c->classes, n = (blasint)variables;
    double squares = 0;
    for (int64_t row = 0; row < height; row++) {
        double norm = cblas_dnrm2(n, rows + row, height);
        if (row < k)
            squares += norm * norm;
        else
            c->exponent[row - k] = scale_of(norm);
    }
    c->network_exponent = scale_of(sqrt(squares)); /* the largest singular value is below */
    for (int64_t row = 0; row < height; row++) {
        double exponent = row < k ? c->network_exponent : c->exponent[row - k];
        cblas_dscal(n, ldexp(1, -(int)exponent), rows + row, height);
        if (row >= k)
            c->square[row - k] = cblas_ddot(n, rows + row, height, rows + row, height);
    }
    cblas_dsyrk(CblasColMajor, CblasLower, CblasNoTrans, k, n, 1, rows, height, 0, c->gram, k);
}

/* Room for what is computed on the way. */
typedef struct workspace {
    double *scale, *errors, *rows;
} workspace;

static bool prove(lip_form *form, const double *multipliers, const workspace *room, lip_certificate_of *c)
{
    const lip_system *s = form->system;
    int64_t height = c->classes + c->pairs;
    if (!choose_scales(s, multipliers, room->scale))
        return false;
    double n = (double)(s->variables + height), off = matrix_error(s, multipliers, room->scale);
    double base = factor_error(form, multipliers, room->scale);
    base = lip_add_up(base, lip_mul_up((double)c->classes * (n + 8) * LIP_CERTIFICATE_OUTPUT, LIP_UNIT));
    base = lip_add_up(base, n * n * 0x1p-300);
    output_errors(s, room->scale, room->errors);
    double shift = lip_add_up(base, 3 * sqrt(off) + 0x1p-50);
    for (int attempt = 0; attempt < 3 && isfinite(shift); attempt++) {
        c->shift = shift;
        lip_form_fill(form, multipliers, room->scale, shift, SIZE_MAX);
        if (!lip_tiled_factor(&form->tiles))
            return false;
        memset(room->rows, 0, (size_t)(height * s->variables) * sizeof(double));
        place_rows(form, room->scale, c->pairs > 0, room->rows, height);
        lip_tiled_append(&form->tiles, height, room->rows);
        lip_certificate_measure(c, s->variables, room->rows);
        double total = lip_add_up(off, lip_certificate_output_error(c, room->errors));
        double needed = lip_add_up(base, lip_mul_up(2 * lip_sqrt_up(total), MORE));
        if (needed <= shift)
            return true;
        shift = 1.5 * needed;
    }
    return false;
}

lip_status lip_certificate_allocate(lip_certificate_of *c, int64_t classes, bool with_pairs, lip_memory *memory,
                                    lip_error *error)
{
    *c = (lip_certificate_of) { .classes = classes, .memory = memory };
    c->pairs = with_pairs ? classes * (classes - 1) / 2 : 0;
    c->gram = lip_alloc(memory, classes * classes, sizeof(double));
    c->square = lip_alloc(memory, c->pairs, sizeof(double));
    c->exponent = lip_alloc(memory, c->pairs, sizeof(double));
    c->work = lip_alloc(memory, classes * classes + 4 * classes, sizeof(double));
    if (c->gram && c->square && c->exponent && c->work)
        return LIP_OK;
    lip_certificate_close(c);
    return lip_fail(error, LIP_EMEMORY, "the proof by multipliers passes the memory cap");
}

lip_status lip_certificate_open(lip_form *form, const double *multipliers, bool with_pairs, lip_memory *memory,
                                lip_certificate_of *out, bool *proved, lip_error *error)
{
    const lip_system *s = form->system;
    lip_status status = lip_certificate_allocate(out, s->classes, with_pairs, memory, error);
    *proved = false;
    if (status != LIP_OK)
        return status;
    workspace room = { lip_alloc(memory, s->variables, sizeof(double)), lip_alloc(memory, s->classes, sizeof(double)),
                       lip_alloc(memory, (s->classes + out->pairs) * s->variables, sizeof(double)) };
    if (room.scale && room.errors && room.rows)
        *proved = prove(form, multipliers, &room, out);
    else
        status = lip_fail(error, LIP_EMEMORY, "the proof by multipliers passes the memory cap");
    lip_free(memory, room.scale);
    lip_free(memory, room.errors);
    lip_free(memory, room.rows);
    if (status != LIP_OK)
        lip_certificate_close(out);
    return status;
}

void lip_certificate_close(lip_certificate_of *c)
{
    double **blocks[] = { &c->gram, &c->square, &c->exponent, &c->work };
    for (size_t i = 0; c->memory && i < sizeof blocks / sizeof *blocks; i++) {
        lip_free(c->memory, *blocks[i]);
        *blocks[i] = NULL;
    }
}

/* (bound 2^-exponent)^2 - shift, rounded down. A diagonal cut off from above proves a smaller bound. */
static double last_diagonal(const lip_certificate_of *c, double exponent, double bound)
{
    double scaled = ldexp(bound, -(int)exponent);
    if (!(bound >= 0))
        return -(double)INFINITY;
    return lip_sub_down(fmin(lip_mul_down(scaled, scaled), LIP_CERTIFICATE_OUTPUT - 1), c->shift);
}

static int64_t pair_index(const lip_certificate_of *c, int64_t i, int64_t j)
{
    return i * c->classes - i * (i + 1) / 2 + j - i - 1;
}

bool lip_certificate_pair(const lip_certificate_of *c, int64_t i, int64_t j, double bound)
{
    int64_t pair = pair_index(c, i, j);
    double pivot = last_diagonal(c, c->exponent[pair], bound) - c->square[pair];
    return pivot > 0 && isfinite(pivot);
}

bool lip_certificate_network(const lip_certificate_of *c, double bound)
{
    lapack_int k = (lapack_int)c->classes;
    double diagonal = last_diagonal(c, c->network_exponent, bound);
    for (int64_t j = 0; j < k; j++)
        for (int64_t i = j; i < k; i++)
            c->work[j * k + i] = (i == j ? diagonal : 0) - c->gram[j * k + i];
    if (LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', k, c->work, k) != 0)
        return false;
    for (int64_t j = 0; j < k; j++)
        if (!(c->work[j * k + j] > 0) || !isfinite(c->work[j * k + j]))
            return false;
    return true;
}

double lip_certificate_pair_upper(const lip_certificate_of *c, int64_t i, int64_t j)
{
    int64_t pair = pair_index(c, i, j);
    double squared = c->square[pair] + c->shift, more = 1e-15;
    for (int attempt = 0; attempt < RAISES; attempt++, more *= 8) {
        double bound = ldexp(sqrt(squared * (1 + more)), (int)c->exponent[pair]);
        if (lip_certificate_pair(c, i, j, bound))
            return bound;
    }
    return (double)INFINITY;
}

double lip_certificate_network_upper(const lip_certificate_of *c)
{
    lapack_int k = (lapack_int)c->classes;
    double *eigenvalues = lip_alloc(c->memory, k + 66 * (int64_t)k, sizeof(double)), more = 1e-14;
    if (!eigenvalues)
        return (double)INFINITY;
    memcpy(c->work, c->gram, (size_t)k * (size_t)k * sizeof(double));
    lapack_int failed = LAPACKE_dsyev_work(LAPACK_COL_MAJOR, 'N', 'L', k, c->work, k, eigenvalues, eigenvalues + k,
                                           66 * k);
    double squared = failed ? (double)NAN : fmax(0, eigenvalues[k - 1]) + c->shift, upper = (double)INFINITY;
    for (int attempt = 0; attempt < 2 * RAISES && isinf(upper); attempt++, more *= 8) {
        double bound = ldexp(sqrt(squared * (1 + more)), (int)c->network_exponent);
        if (lip_certificate_network(c, bound))
            upper = bound;
    }
    lip_free(c->memory, eigenvalues);
    return upper;
}
