/*
 * spectral_objective.c: value and gradient, frequency by frequency.
 *
 * Let J = L L^H at one frequency, q the unit vector with the largest value m = |X^H q|^2, X = Y L^-H, and
 * u = J^-1 Y^H q = L^-H X^H q. Then dm = -u^H dJ u, and for one multiplier T, over its variables i,
 *     SLOPE  u^H J_T u = 2 |u_i|^2 - 2 width Re(conj(u_i) (Z u)_i),
 *     PASS   |u_i|^2,    AUX  -|u_i|^2 / (T^2 gain^2),
 * J_T the derivative of J in T. J(w) has to stay positive definite also at frequencies that are no output's: the
 * barrier r^H J^-1 r for a fixed vector r of signs, scaled by the diagonal, grows without limit towards a singular
 * matrix, and its derivative is that of m with u = J^-1 r. [Nocedal & Wright 2006 for barriers.]
 *
 * The value is 1/2 (1/P) log sum over frequencies of m^P + barrier / variables * mean of r^H J^-1 r.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "spectral_objective.h"

#include "compose/workers.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

enum { STEPS = 12 };
static const double POWER = 12;

/* Whether the objective looks at a frequency. */
static bool is_taken(const lip_spectral_objective *o, size_t f)
{
    return f == 0 || o->every <= 1 || (f * UINT64_C(2654435761) >> 7) % (uint64_t)o->every == 0;
}

/* J's factor; in the output's row X. False: not positive definite. */
static bool factorise(const lip_spectral_objective *o, size_t f, double complex *l)
{
    const lip_spectral *s = o->spectral;
    for (int64_t k = 0; k < s->groups; k++) {
        const lip_spectral_group *g = &s->group[k];
        int64_t before = lip_spectral_column(s, &s->factor, k, k), lead = s->factor.width[k];
        lip_variable variable = { .kind = g->kind, .plan = g->plan, .constant = g->constant };
        lip_spectral_copy(s, (int64_t)f, k, l);
        for (int64_t i = 0; i < lip_spectral_width(s, k); i++) {
            double t = lip_spectral_multiplier(g, i, o->multipliers);
            double complex *row = l + s->factor.start[k] + i * lead;
            if (lip_form_factor(&variable, t) != 1)
                cblas_zdscal((blasint)before, lip_form_factor(&variable, t), row, 1);
            row[before + i] = lip_form_diagonal(&variable, t);
        }
        lip_spectral_solve(s, k, l);
        if (k != s->output && !lip_spectral_finish(s, k, l))
            return false;
    }
    return true;
}

static int64_t ends(const lip_spectral *s) { return s->output >= 0 ? s->output : s->groups; }

/* x := L^-1 x, or L^-H x. */
static void forward(const lip_spectral *s, const double complex *l, double complex *x)
{
    const double complex one = 1, minus = -1;
    for (int64_t k = 0; k < ends(s); k++) {
        blasint rows = (blasint)lip_spectral_width(s, k), lead = (blasint)s->factor.width[k];
        const double complex *row = l + s->factor.start[k];
        for (int64_t j = 0; j < k; j++)
            if (lip_spectral_column(s, &s->factor, k, j) >= 0)
                cblas_zgemv(CblasRowMajor, CblasNoTrans, rows, (blasint)lip_spectral_width(s, j), &minus,
                            row + lip_spectral_column(s, &s->factor, k, j), lead, x + s->group[j].first, 1, &one,
                            x + s->group[k].first, 1);
        cblas_ztrsv(CblasRowMajor, CblasLower, CblasNoTrans, CblasNonUnit, rows,
                    row + lip_spectral_column(s, &s->factor, k, k), lead, x + s->group[k].first, 1);
    }
}

static void backward(const lip_spectral *s, const double complex *l, double complex *x)
{
    const double complex one = 1, minus = -1;
    for (int64_t k = ends(s) - 1; k >= 0; k--) {
        blasint rows = (blasint)lip_spectral_width(s, k), lead = (blasint)s->factor.width[k];
        const double complex *row = l + s->factor.start[k];
        cblas_ztrsv(CblasRowMajor, CblasLower, CblasConjTrans, CblasNonUnit, rows,
                    row + lip_spectral_column(s, &s->factor, k, k), lead, x + s->group[k].first, 1);
        for (int64_t j = 0; j < k; j++)
            if (lip_spectral_column(s, &s->factor, k, j) >= 0)
                cblas_zgemv(CblasRowMajor, CblasConjTrans, rows, (blasint)lip_spectral_width(s, j), &minus,
                            row + lip_spectral_column(s, &s->factor, k, j), lead, x + s->group[k].first, 1, &one,
                            x + s->group[j].first, 1);
    }
}

/* gradient[multiplier] = -T u^H J_T u. */
static void derive(const lip_spectral_objective *o, size_t f, const double complex *u, double complex *zu,
                   double *gradient)
{
    const lip_spectral *s = o->spectral;
    const double complex one = 1;
    memset(gradient, 0, (size_t)s->multipliers * sizeof *gradient);
    for (int64_t k = 0; k < ends(s); k++) {
        const lip_spectral_group *g = &s->group[k];
        int64_t rows = lip_spectral_width(s, k);
        memset(zu, 0, (size_t)rows * sizeof *zu);
        for (int64_t j = 0; j < k && g->kind == LIP_VAR_SLOPE; j++)
            if (lip_spectral_column(s, &s->rows, k, j) >= 0)
                cblas_zgemv(CblasRowMajor, CblasNoTrans, (blasint)rows, (blasint)lip_spectral_width(s, j), &one,
                            s->z[f] + s->rows.start[k] + lip_spectral_column(s, &s->rows, k, j),
                            (blasint)s->rows.width[k], u + s->group[j].first, 1, &one, zu, 1);
        for (int64_t i = 0; i < rows && g->multiplier >= 0; i++) {
            double complex v = u[g->first + i];
            double t = lip_spectral_multiplier(g, i, o->multipliers), square = creal(v * conj(v));
            double *to = &gradient[g->multiplier + i / g->phases];
            if (g->kind == LIP_VAR_SLOPE)
                *to -= t * (2 * square - 2 * g->constant * creal(conj(v) * zu[i]));
            else
                *to += g->kind == LIP_VAR_PASS ? -t * square : square / (t * g->constant);
        }
    }
}

/* t := X^H q for the vector that grows most, |t|^2 the largest value; X has `rows` rows of `columns`. */
static double grow(const double complex *x, blasint rows, blasint columns, blasint lead, double complex *q,
                   double complex *t)
{
    const double complex one = 1, zero = 0;
    double norm = cblas_dznrm2(rows, q, 1);
    for (blasint i = 0; i < rows && !(norm > 0); i++)
        q[i] = 1 + 0.5 * sin(1.7 * i + 0.3);
    for (int step = 0; step < STEPS; step++) {
        norm = cblas_dznrm2(rows, q, 1);
        cblas_zdscal(rows, norm > 0 ? 1 / norm : 0, q, 1);
        cblas_zgemv(CblasRowMajor, CblasConjTrans, rows, columns, &one, x, lead, q, 1, &zero, t, 1);
        if (step + 1 < STEPS)
            cblas_zgemv(CblasRowMajor, CblasNoTrans, rows, columns, &one, x, lead, t, 1, &zero, q, 1);
    }
    norm = cblas_dznrm2(columns, t, 1);
    return norm * norm;
}

/* The output's rows of a map, in the order of the variables. */
static void spread(const lip_spectral *s, const double complex *packed, double complex *to)
{
    int64_t at = 0;
    memset(to, 0, (size_t)s->variables * sizeof *to);
    for (int64_t j = 0; j < s->output; j++)
        if (lip_spectral_column(s, &s->factor, s->output, j) >= 0) {
            memcpy(to + s->group[j].first, packed + at, (size_t)lip_spectral_width(s, j) * sizeof *to);
            at += lip_spectral_width(s, j);
        }
}

/* gradient += that of the value whose u is L^-H t. */
static void add_derivative(const lip_spectral_objective *o, size_t f, const double complex *l, double complex *t,
                           double complex *room, double *gradient)
{
    double *one = o->gradient + ((int64_t)f * 3 + 2) * o->spectral->multipliers;
    backward(o->spectral, l, t);
    derive(o, f, t, room, one);
    cblas_daxpy((blasint)o->spectral->multipliers, 1, one, 1, gradient, 1);
}

/* Of a map. */
static double map_value(lip_spectral_objective *o, size_t f, const double complex *l, double complex *t,
                        double complex *room, double *gradient)
{
    const lip_spectral *s = o->spectral;
    int64_t k = s->output;
    blasint columns = (blasint)lip_spectral_column(s, &s->factor, k, k);
    double value = grow(l + s->factor.start[k], (blasint)lip_spectral_width(s, k), columns,
                        (blasint)s->factor.width[k], o->top[f], room);
    spread(s, room, t);
    add_derivative(o, f, l, t, room, gradient);
    return value;
}

/* Of the mean's outputs: X's rows; for pairs, (1 / K) sum over i < j of |x_i - x_j|^2 = sum of |x_i - mean|^2. */
static double mean_value(lip_spectral_objective *o, size_t f, const double complex *l, double complex *t,
                         double complex *room, double *gradient)
{
    const lip_spectral *s = o->spectral;
    int64_t n = s->variables;
    double complex *x = lip_alloc(s->memory, s->classes * n, sizeof *x);
    double value = 0;
    for (int64_t j = 0; x && j < n; j++) {
        double mean = 0;
        for (int64_t i = 0; i < s->classes; i++)
            mean += s->y[i * n + j] / (double)s->classes;
        for (int64_t i = 0; i < s->classes; i++)
            x[i * n + j] = s->y[i * n + j] - (o->pairs ? mean : 0);
    }
    for (int64_t i = 0; x && i < s->classes; i++)
        forward(s, l, x + i * n);
    if (x && !o->pairs) {
        value = grow(x, (blasint)s->classes, (blasint)n, (blasint)n, o->top[f], t);
        add_derivative(o, f, l, t, room, gradient);
    }
    for (int64_t i = 0; x && o->pairs && i < s->classes; i++) {
        double norm = cblas_dznrm2((blasint)n, x + i * n, 1);
        value += norm * norm;
        add_derivative(o, f, l, x + i * n, room, gradient);
    }
    lip_free(s->memory, x);
    return x ? value : (double)INFINITY;
}

/* Signs from a fixed sequence: two bits of a frequency's and a variable's number. */
static double complex sign(size_t f, int64_t i)
{
    static const double complex signs[] = { 1, I, -1, -I };
    uint64_t mixed = ((uint64_t)i + 1) * UINT64_C(0x9e3779b97f4a7c15) ^
                     ((uint64_t)f + 7) * UINT64_C(0xbf58476d1ce4e5b9);
    return signs[(mixed ^ mixed >> 29) * UINT64_C(0x94d049bb133111eb) >> 62];
}

static void evaluate(void *context, size_t f)
{
    lip_spectral_objective *o = context;
    const lip_spectral *s = o->spectral;
    double complex *l = lip_alloc(s->memory, s->factor.start[s->groups], sizeof *l);
    double complex *t = lip_alloc(s->memory, 3 * s->variables, sizeof *t), *room = t + s->variables;
    double *gradient = o->gradient + (int64_t)f * 3 * s->multipliers;
    o->value[f] = o->wall[f] = (double)INFINITY;
    if (l && t && factorise(o, f, l)) {
        memset(gradient, 0, (size_t)s->multipliers * sizeof *gradient);
        o->value[f] = s->output >= 0 ? map_value(o, f, l, t, room, gradient)
                      : f == 0       ? mean_value(o, f, l, t, room, gradient)
                                     : 0;
        for (int64_t i = 0; i < s->variables; i++)
            t[i] = o->scale[i] * sign(f, i);
        forward(s, l, t);
        double norm = cblas_dznrm2((blasint)s->group[ends(s) - 1].first +
                                       (blasint)lip_spectral_width(s, ends(s) - 1), t, 1);
        o->wall[f] = norm * norm;
        backward(s, l, t);
        derive(o, f, t, room, gradient + s->multipliers);
    }
    lip_free(s->memory, l);
    lip_free(s->memory, t);
}

double lip_spectral_objective_largest(const lip_spectral_objective *o)
{
    double largest = 0;
    for (int64_t f = 0; f < o->spectral->frequencies; f++)
        if (is_taken(o, (size_t)f))
            largest = fmax(largest, o->value[f]);
    return largest;
}

/* Of the frequencies' values and gradients. */
static double combine(const lip_spectral_objective *o, const size_t *order, size_t taken, double *gradient)
{
    const lip_spectral *s = o->spectral;
    double largest = lip_spectral_objective_largest(o), sum = 0, wall = 0;
    double part = o->barrier / ((double)taken * (double)s->variables);
    if (!(largest > 0) || !isfinite(largest))
        return (double)INFINITY;
    for (size_t i = 0; i < taken; i++) {
        sum += pow(o->value[order[i]] / largest, POWER);
        wall += o->wall[order[i]];
    }
    memset(gradient, 0, (size_t)s->multipliers * sizeof *gradient);
    for (size_t i = 0; i < taken; i++) {
        size_t f = order[i];
        const double *own = o->gradient + (int64_t)f * 3 * s->multipliers;
        double weight = 0.5 * pow(o->value[f] / largest, POWER - 1) / (sum * largest);
        bool output = s->output >= 0 || f == 0;
        for (int64_t c = 0; c < s->multipliers; c++)
            gradient[c] += (output ? weight * own[c] : 0) + part * own[s->multipliers + c];
    }
    return 0.5 * (log(largest) + log(sum) / POWER) + part * wall;
}

double lip_spectral_objective_at(void *context, const double *theta, double *gradient)
{
    lip_spectral_objective *o = context;
    const lip_spectral *s = o->spectral;
    size_t taken = 0, *order = lip_alloc(s->memory, s->frequencies, sizeof *order);
    double value = (double)INFINITY;
    int64_t last = s->output >= 0 ? s->group[s->output].multiplier : -1;
    for (int64_t i = 0; i < s->multipliers; i++)
        if (i != last)
            o->multipliers[i] = exp(theta[i]);
    for (int64_t f = 0; order && f < s->frequencies; f++)
        if (is_taken(o, (size_t)f))
            order[taken++] = (size_t)f;
    if (order) {
        lip_run_jobs(evaluate, o, order, taken, o->threads);
        value = combine(o, order, taken, gradient);
    }
    lip_free(s->memory, order);
    return isfinite(value) ? value : (double)INFINITY;
}

bool lip_spectral_objective_open(const lip_spectral *s, const double *multipliers, int threads,
                                 lip_spectral_objective *out)
{
    int64_t elements, size = s->output >= 0 ? lip_spectral_width(s, s->output) : s->classes;
    *out = (lip_spectral_objective) { .spectral = s, .threads = threads, .every = 1 };
    out->multipliers = lip_alloc(s->memory, s->multipliers, sizeof(double));
    out->scale = lip_alloc(s->memory, s->variables, sizeof(double));
    out->value = lip_alloc(s->memory, s->frequencies, sizeof(double));
    out->wall = lip_alloc(s->memory, s->frequencies, sizeof(double));
    out->top = lip_alloc(s->memory, s->frequencies, sizeof *out->top);
    if (lip_size_mul(3 * s->multipliers, s->frequencies, &elements))
        out->gradient = lip_alloc(s->memory, elements, sizeof(double));
    bool fine = out->multipliers && out->scale && out->value && out->wall && out->top && out->gradient;
    for (int64_t f = 0; fine && f < s->frequencies; f++)
        fine = (out->top[f] = lip_alloc(s->memory, size, sizeof **out->top)) != NULL;
    for (int64_t k = 0; fine && k < s->groups; k++) {
        const lip_spectral_group *g = &s->group[k];
        lip_variable variable = { .kind = g->kind, .plan = g->plan, .constant = g->constant };
        for (int64_t i = 0; i < lip_spectral_width(s, k); i++)
            out->scale[s->group[k].first + i] =
                sqrt(lip_form_diagonal(&variable, lip_spectral_multiplier(&s->group[k], i, multipliers)));
    }
    if (fine)
        memcpy(out->multipliers, multipliers, (size_t)s->multipliers * sizeof(double));
    return fine;
}

void lip_spectral_objective_close(lip_spectral_objective *o)
{
    lip_memory *memory = o->spectral->memory;
    for (int64_t f = 0; o->top && f < o->spectral->frequencies; f++)
        lip_free(memory, o->top[f]);
    lip_free(memory, o->multipliers);
    lip_free(memory, o->scale);
    lip_free(memory, o->value);
    lip_free(memory, o->wall);
    lip_free(memory, o->top);
    lip_free(memory, o->gradient);
}
