/*
 * spectral_certificate.c: the proof of certificate.c, for each frequency.
 *
 * As there, B = fl(S J(w) S) - c I with S powers of two, one for each variable, and its Cholesky factorisation
 * runs to completion. In complex arithmetic an inner product of length k is two real ones of length 2 k, and
 * ||D||_2 <= 3 sum_j (k_j + 8) u B_jj (linear/cholesky.c, BOUNDS of the twisted torus). Off the diagonal an element is
 * fl(f_i z_ij s_i s_j), off by at most 4 u of itself and by what z is off by: for the rows of a group
 *     (4 u + rounding) ||B_group||_F + max(f_i s_i) max(s) z_error[group];
 * e = 2 sqrt(sum of squares). At frequency 0 everything is real, Y's rows are appended and measured as there, by
 * lip_certificate_measure.
 *
 * Underflow: elements below 2^-1000 of B are covered by n^2 2^-300, added to c.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "spectral.h"

#include "compose/workers.h"
#include "rounding.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <string.h>

static const double MORE = 1 + 0x1p-20;

typedef struct proof {
    const lip_spectral *s;
    double *factor, *diagonal, *scale; /* per variable: of its row; as scaled; S */
    double base, most;                 /* part of c that does not depend on the frequency; largest scale */
    double output_error, *shift;       /* squared; per frequency: c */
    bool *proved;
    double *rows; /* Y's rows and pairs, scaled by columns, column-major */
    int64_t height;
} proof;

static bool choose_scales(proof *p, const double *multipliers)
{
    const lip_spectral *s = p->s;
    double sum = 0, n = (double)s->variables + (double)p->height;
    for (int64_t k = 0; k < s->groups; k++) {
        const lip_spectral_group *g = &s->group[k];
        lip_variable variable = { .kind = g->kind, .plan = g->plan, .constant = g->constant };
        for (int64_t i = g->first; i < g->first + g->channels * g->phases; i++) {
            double t = lip_spectral_multiplier(g, i - g->first, multipliers);
            double diagonal = lip_form_diagonal(&variable, t);
            if (!(t > 0x1p-300 && t < 0x1p300) || !(diagonal > 0x1p-600) || !isfinite(diagonal))
                return false;
            int exponent = ilogb(diagonal);
            p->scale[i] = ldexp(1, -(exponent - (exponent & 1)) / 2);
            p->diagonal[i] = diagonal * p->scale[i] * p->scale[i];
            p->factor[i] = lip_form_factor(&variable, t);
            p->most = fmax(p->most, p->scale[i]);
            sum += 3 * ((double)i + 10) * p->diagonal[i];
        }
    }
    sum += 3 * (double)s->classes * (n + 12) * LIP_CERTIFICATE_OUTPUT;
    p->base = lip_add_up(lip_mul_up(sum, LIP_UNIT * MORE), n * n * 0x1p-300);
    return true;
}

/* B off the diagonal, in the factor's place; sum of the groups' squared errors. */
static double fill(const proof *p, size_t f, double complex *b)
{
    const lip_spectral *s = p->s;
    double total = 0;
    for (int64_t k = 0; k < s->groups; k++) {
        const lip_spectral_group *g = &s->group[k];
        double square = 0, largest = 0, terms = 0;
        lip_spectral_copy(s, (int64_t)f, k, b);
        for (int64_t r = 0; r < lip_spectral_width(s, k); r++) {
            double complex *row = b + s->factor.start[k] + r * s->factor.width[k];
            int64_t i = g->first + r;
            largest = fmax(largest, fabs(p->factor[i] * p->scale[i]));
            for (int64_t m = 0; m < k; m++) {
                int64_t at = lip_spectral_column(s, &s->rows, k, m) < 0 ? -1 : lip_spectral_column(s, &s->factor, k, m);
                const double *scale = p->scale + s->group[m].first;
                for (int64_t j = 0; at >= 0 && j < lip_spectral_width(s, m); j++) {
                    double re = p->factor[i] * creal(row[at + j]) * p->scale[i] * scale[j];
                    double im = p->factor[i] * cimag(row[at + j]) * p->scale[i] * scale[j];
                    row[at + j] = re + im * I;
                    square += re * re + im * im;
                    terms++;
                }
            }
        }
        double rounding = 8 * LIP_UNIT * sqrt(square) * (1 + lip_gamma(2 * terms + 8));
        double error = (rounding + largest * p->most * s->z_error[f][k] * MORE) * MORE;
        total += error * error;
    }
    return total;
}

static void set_diagonal(const proof *p, double shift, double complex *b)
{
    const lip_spectral *s = p->s;
    for (int64_t k = 0; k < s->groups; k++)
        for (int64_t r = 0; r < lip_spectral_width(s, k); r++)
            b[s->factor.start[k] + r * s->factor.width[k] + lip_spectral_column(s, &s->factor, k, k) + r] =
                lip_sub_down(p->diagonal[s->group[k].first + r], shift);
}

static bool completes(const proof *p, double complex *b)
{
    bool fine = true;
    for (int64_t k = 0; k < p->s->groups && fine; k++) {
        lip_spectral_solve(p->s, k, b);
        fine = lip_spectral_finish(p->s, k, b);
    }
    return fine;
}

/* The real parts of a block, row-major; false where it is not real. */
static bool real_block(const lip_spectral *s, const double complex *b, int64_t k, int64_t j, double *to)
{
    const double complex *from = b + s->factor.start[k] + lip_spectral_column(s, &s->factor, k, j);
    int64_t rows = lip_spectral_width(s, k), columns = lip_spectral_width(s, j);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < columns; c++) {
            double complex value = from[r * s->factor.width[k] + c];
            to[r * columns + c] = k == j && c > r ? 0 : creal(value);
            if (cimag(value) != 0 && !(k == j && c > r))
                return false;
        }
    return true;
}

/* rows := rows L^-T at frequency 0, where the factor is real. */
static bool append(const proof *p, const double complex *b)
{
    const lip_spectral *s = p->s;
    int64_t widest = 0;
    for (int64_t k = 0; k < s->groups; k++)
        widest = lip_spectral_width(s, k) > widest ? lip_spectral_width(s, k) : widest;
    double *block = lip_alloc(s->memory, widest * widest, sizeof *block);
    bool fine = block != NULL;
    for (int64_t k = 0; k < s->groups && fine; k++) { /* row-major = the transpose, column-major */
        blasint width = (blasint)lip_spectral_width(s, k), height = (blasint)p->height;
        double *rows = p->rows + s->group[k].first * p->height;
        for (int64_t j = 0; j < k && fine; j++) {
            if (lip_spectral_column(s, &s->factor, k, j) < 0)
                continue;
            blasint inner = (blasint)lip_spectral_width(s, j);
            fine = real_block(s, b, k, j, block);
            cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, height, width, inner, -1,
                        p->rows + s->group[j].first * p->height, height, block, inner, 1, rows, height);
        }
        fine = fine && real_block(s, b, k, k, block);
        cblas_dtrsm(CblasColMajor, CblasRight, CblasUpper, CblasNoTrans, CblasNonUnit, height, width, 1, block, width,
                    rows, height);
    }
    lip_free(s->memory, block);
    return fine;
}

static void prove_frequency(void *context, size_t f)
{
    proof *p = context;
    double complex *b = lip_alloc(p->s->memory, p->s->factor.start[p->s->groups], sizeof *b);
    if (b) {
        double error = fill(p, f, b) + (f == 0 ? p->output_error : 0);
        p->shift[f] = lip_add_up(p->base, lip_mul_up(2 * lip_sqrt_up(error * MORE), MORE));
        set_diagonal(p, p->shift[f], b);
        p->proved[f] = isfinite(p->shift[f]) && completes(p, b) && (f > 0 || p->height == 0 || append(p, b));
    }
    lip_free(p->s->memory, b);
}

/* Rows scaled by columns; their squared error, before the scale 2^-exponent of each: relative to the scaled rows. */
static void place_rows(const proof *p, bool with_pairs)
{
    const lip_spectral *s = p->s;
    for (int64_t c = 0; c < s->variables; c++) {
        double *column = p->rows + c * p->height;
        for (int64_t k = 0; k < s->classes; k++)
            column[k] = s->y[k * s->variables + c] * p->scale[c];
        for (int64_t i = 0, row = s->classes; with_pairs && i < s->classes; i++)
            for (int64_t j = i + 1; j < s->classes; j++, row++)
                column[row] = column[i] - column[j];
    }
}

/* Per output: norm of its row's error, scaled by columns: what y is off by, and the rounding of differences. */
static void output_errors(const proof *p, double *errors)
{
    const lip_spectral *s = p->s;
    for (int64_t k = 0; k < s->classes; k++) {
        double sum = 0;
        for (int64_t c = 0; c < s->variables; c++) {
            double value = s->y[k * s->variables + c] * p->scale[c];
            sum += value * value;
        }
        errors[k] = (s->y_error[k] * p->most + 4 * LIP_UNIT * sqrt(sum) * MORE) * MORE;
    }
}

static bool allocate(proof *p, double **errors, size_t **order)
{
    const lip_spectral *s = p->s;
    *errors = NULL;
    *order = NULL;
    p->factor = lip_alloc(s->memory, 3 * s->variables, sizeof(double));
    p->shift = lip_alloc(s->memory, s->frequencies, sizeof(double));
    p->proved = lip_alloc(s->memory, s->frequencies, sizeof(bool));
    p->rows = lip_alloc(s->memory, p->height * s->variables, sizeof(double));
    *errors = lip_alloc(s->memory, s->classes, sizeof(double));
    *order = lip_alloc(s->memory, s->frequencies, sizeof(size_t));
    if (!p->factor || !p->shift || !p->proved || !p->rows || !*errors || !*order)
        return false;
    p->diagonal = p->factor + s->variables;
    p->scale = p->diagonal + s->variables;
    for (int64_t f = 0; f < s->frequencies; f++)
        (*order)[f] = (size_t)f;
    return true;
}

static void release(proof *p, double *errors, size_t *order)
{
    lip_free(p->s->memory, p->factor);
    lip_free(p->s->memory, p->shift);
    lip_free(p->s->memory, p->proved);
    lip_free(p->s->memory, p->rows);
    lip_free(p->s->memory, errors);
    lip_free(p->s->memory, order);
}

static bool all_proved(const proof *p)
{
    bool fine = true;
    for (int64_t f = 0; f < p->s->frequencies; f++)
        fine = fine && p->proved[f];
    return fine;
}

static bool prove_all(proof *p, const double *multipliers, int threads, double *errors, size_t *order,
                      lip_certificate_of *out)
{
    const lip_spectral *s = p->s;
    if (!choose_scales(p, multipliers))
        return false;
    output_errors(p, errors);
    bool fine = false;
    for (int attempt = 0; attempt < 2 && !fine; attempt++) { /* the first one finds the outputs' scale */
        place_rows(p, out->pairs > 0);
        prove_frequency(p, 0);
        if (!p->proved[0])
            return false;
        lip_certificate_measure(out, s->variables, p->rows);
        out->shift = p->shift[0];
        double needed = lip_certificate_output_error(out, errors);
        fine = needed <= p->output_error;
        p->output_error = 4 * needed;
    }
    lip_run_jobs(prove_frequency, p, order + 1, (size_t)s->frequencies - 1, threads);
    return fine && all_proved(p);
}

lip_status lip_spectral_certificate(const lip_spectral *s, const double *multipliers, bool with_pairs, int threads,
                                    lip_certificate_of *out, bool *proved, lip_error *error)
{
    double *errors;
    size_t *order;
    *proved = false;
    lip_status status = lip_certificate_allocate(out, s->classes, with_pairs, s->memory, error);
    if (status != LIP_OK)
        return status;
    proof p = { .s = s, .height = out->classes + out->pairs };
    if (allocate(&p, &errors, &order))
        *proved = prove_all(&p, multipliers, threads, errors, order, out);
    else
        status = lip_fail(error, LIP_EMEMORY, "the proof by multipliers passes the memory cap");
    release(&p, errors, order);
    if (status != LIP_OK)
        lip_certificate_close(out);
    return status;
}

double lip_spectral_upper(const lip_spectral *s, const double *multipliers, int threads)
{
    double *errors = NULL, upper = (double)INFINITY;
    size_t *order = NULL;
    proof p = { .s = s };
    if (s->output >= 0 && allocate(&p, &errors, &order) && choose_scales(&p, multipliers)) {
        int64_t i = s->group[s->output].first;
        lip_run_jobs(prove_frequency, &p, order, (size_t)s->frequencies, threads);
        if (all_proved(&p)) /* the diagonal that was proved: L^2 or less, unscaled */
            upper = lip_sqrt_up(p.diagonal[i] / (p.scale[i] * p.scale[i]));
    }
    release(&p, errors, order);
    return upper;
}
