/*
 * rows.c: rows taken back through the network, LIP_LOCAL_LANES at a time.
 *
 * Rounding. The coefficients in p are computed; whatever they are, the identity
 *     p_m g_m = p_m c_m dz_m + p_m (g_m - c_m dz_m)
 * holds for them, and dz_m = Z_m v. What is lost is where p_m c_m Z^_m is added to p, and between Z^ and Z. A
 * coefficient p_k is a sum of at most n products, n the largest number of rows that share a column (of a max-pool's
 * inputs, once for each of its windows); in any order,
 *     |computed - sum|_k <= gamma_{n+2} sum_m |q_m| |Z^_mk|,   q_m = fl(p_m c_m),
 * with the row that it began with as one more term. So the total is wrong by at most
 *     drift * sum_m |q_m| move_m + |v|_2 sum_m |q_m| absolute_m,   drift = gamma_{n+2} + relative,
 * move_m >= sum_k |Z^_mk| |v_k|, plus 2^-1074 |v_k| for each product that underflows. The sums of nonnegative numbers
 * that make the bound itself are enlarged at the end by gamma of their number of terms, and by what underflowed in
 * them.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "rounding.h"
#include "sweep.h"

enum { LANES = LIP_LOCAL_LANES, PIECES = LANES / 4 };

/* Lanes side by side: compilers would take them one by one, since the loops over them are short. */
typedef double four __attribute__((vector_size(32), may_alias));

double lip_local_move(const lip_local_sample *sample, const lip_enclosed *m, int64_t row)
{
    double squares = 0, sum = 0;
    for (int64_t e = m->m.start[row]; e < m->m.start[row + 1]; e++) {
        double value = m->m.value[e];
        if (m->m.col[e] < sample->local->system.inputs)
            squares += value * value;
        else
            sum += fabs(value) * sample->most[m->m.col[e]];
    }
    double terms = (double)(m->m.start[row + 1] - m->m.start[row]);
    double total = sum + sample->r * sqrt(squares + terms * LIP_TINY);
    return lip_add_up(lip_mul_up(total, 1 + lip_gamma(terms + 8)), terms * LIP_TINY);
}

void lip_local_put(lip_local_sample *sample, int lane, double sign, const lip_enclosed *m, int64_t row, double move)
{
    for (int64_t e = m->m.start[row]; e < m->m.start[row + 1]; e++) {
        int32_t k = m->m.col[e];
        sample->p[(size_t)k * LANES + (size_t)lane] += sign * m->m.value[e];
        sample->touched[k] = true;
    }
    sample->magnitude[lane] += move;
    sample->absolute[lane] += m->absolute ? m->absolute[row] : 0;
}

/* Sums of one layer, per lane. some = 0: there is nothing at all. */
typedef struct sums {
    double each[LANES], squares[LANES], some[LANES], ties[LANES];
} sums;

static bool take_neuron(lip_local_sample *sample, int64_t m, double *restrict q, sums *restrict s)
{
    const lip_local_neuron *n = &sample->neuron[m];
    const lip_local_slope *slope = &n->slope;
    double *restrict p = sample->p + m * LANES, total = 0;
    const double *absolute = sample->local->system.z.absolute;
    const double loses[] = { slope->w[0] > 0, slope->w[1] > 0 };
    for (int i = 0; i < LANES; i++) {
        double above = p[i] > 0 ? p[i] : 0, below = above - p[i]; /* p or -p, the other is 0 */
        double lost = above * slope->w[1] + below * slope->w[0];
        q[i] = above * slope->c[1] - below * slope->c[0];
        s->each[i] += lost * n->reach;
        s->ties[i] += (above + below) * n->tie;
        s->squares[i] += lost * lost;
        s->some[i] += above * loses[1] + below * loses[0];
        total += fabs(q[i]);
        p[i] = 0;
    }
    if (total == 0)
        return false;
    double *restrict magnitude = sample->magnitude, move = sample->move[n->row];
    for (int i = 0; i < LANES; i++)
        magnitude[i] += fabs(q[i]) * move;
    for (int i = 0; absolute && i < LANES; i++)
        sample->absolute[i] += fabs(q[i]) * absolute[n->row];
    return true;
}

static void add_row(lip_local_sample *sample, int64_t row, const double *q)
{
    const lip_rows *z = &sample->local->system.z.m;
    const four *from = (const four *)q;
    sample->work += z->start[row + 1] - z->start[row];
    for (int64_t e = z->start[row]; e < z->start[row + 1]; e++) {
        four *to = (four *)(sample->p + (int64_t)z->col[e] * LANES);
        sample->touched[z->col[e]] = true;
        for (int i = 0; i < PIECES; i++)
            to[i] += from[i] * z->value[e];
    }
}

static void take_squares(lip_local_sample *sample, int64_t m, sums *s)
{
    double *p = sample->p + m * LANES;
    for (int i = 0; i < LANES; i++) {
        s->squares[i] += p[i] * p[i];
        s->some[i] += fabs(p[i]);
        p[i] = 0;
    }
}

/* Adds what a layer lets fall at most. `each` counts where it is the smaller. */
static void take_layer(lip_local_sample *sample, size_t index, double *fall)
{
    const lip_local_layer *layer = &sample->local->layers[index];
    bool follows = lip_local_follows(layer);
    _Alignas(four) double q[LANES];
    double far = layer->kind == LIP_VAR_INPUT ? sample->r : sample->group[index];
    sums s = { { 0 }, { 0 }, { 0 }, { 0 } };
    for (int64_t m = layer->first + layer->count - 1; m >= layer->first; m--) {
        if (!sample->touched[m])
            continue;
        sample->touched[m] = false;
        if (!follows)
            take_squares(sample, m, &s);
        else if (take_neuron(sample, m, q, &s))
            add_row(sample, sample->neuron[m].row, q);
    }
    double tiny = (double)layer->count * LIP_TINY;
    for (int i = 0; i < LANES; i++) {
        fall[i] += s.ties[i];
        if (s.some[i] == 0)
            continue;
        double together = sqrt(s.squares[i] + tiny) * far, each = s.each[i] + tiny * far;
        fall[i] += follows && each < together ? each : together;
    }
}

void lip_local_take_back(lip_local_sample *sample, size_t layers, double *fall)
{
    const lip_local *local = sample->local;
    double terms = (double)local->system.variables, more = 1 + lip_gamma(4 * terms + 64);
    for (int i = 0; i < LANES; i++)
        fall[i] = 0;
    for (size_t k = layers; k-- > 0;)
        take_layer(sample, k, fall);
    for (int i = 0; i < LANES; i++) {
        double drift = local->drift * sample->magnitude[i] + sample->all * (sample->absolute[i] + 0x1p-900);
        fall[i] = lip_mul_up(fall[i] + drift + 0x1p-1000, more);
        sample->magnitude[i] = sample->absolute[i] = 0;
    }
}
