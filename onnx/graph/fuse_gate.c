/*
 * fuse_gate.c: products x g(x) of a tensor and a gate of the same tensor, as
 * exporters write SiLU, GELU, Mish and hard swish where the opset has no
 * operator for them. Scalar factors may stand anywhere. And x / (1 + |x|),
 * which is Softsign.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include "fuse.h"

#include "ops/fused.h"

#include <math.h>
#include <string.h>

enum { DEGREE = 3, DEPTH = 8, MAX_FACTORS = 16 };

typedef struct poly { /* a polynomial in x */
    double c[DEGREE + 1];
} poly;

typedef struct match {
    const lip_value *x;
    lip_gate gate;
    double c, k, q, b;
} match;

/* value = *factor * what is returned. */
static const lip_value *without_factors(const lip_value *value, double *factor)
{
    for (int i = 0; i < MAX_FACTORS; i++) {
        double s;
        const lip_node *node = lip_made_by(value, "Mul");
        const lip_value *next = NULL;
        if (node && lip_is_scalar(node->inputs[0], &s))
            next = node->inputs[1];
        else if (node && lip_is_scalar(node->inputs[1], &s))
            next = node->inputs[0];
        if (!node && (node = lip_made_by(value, "Div")) && lip_is_scalar(node->inputs[1], &s) && s != 0) {
            next = node->inputs[0];
            s = 1 / s;
        }
        if (!next)
            break;
        *factor *= s;
        value = next;
    }
    return value;
}

static bool times(const poly *a, const poly *b, poly *out)
{
    poly y = {{0}};
    for (int i = 0; i <= DEGREE; i++)
        for (int k = 0; k <= DEGREE; k++) {
            double term = a->c[i] * b->c[k];
            if (i + k <= DEGREE)
                y.c[i + k] += term;
            else if (term != 0)
                return false;
        }
    *out = y;
    return true;
}

static bool power(const poly *a, double exponent, poly *out)
{
    poly y = {{1}};
    if (exponent != 1 && exponent != 2 && exponent != 3)
        return false;
    for (int i = 0; i < (int)exponent; i++)
        if (!times(&y, a, &y))
            return false;
    *out = y;
    return true;
}

/* What `value` is as a polynomial in x; `depth` limits how far back it is looked for. */
static bool read_poly(const lip_value *value, const lip_value *x, int depth, poly *out)
{
    static const struct {
        const char *op;
        double sign[2]; /* 0: not a sum */
    } ops[] = {{"Add", {1, 1}}, {"Sub", {1, -1}}, {"Mul", {0, 0}}, {"Div", {0, 0}}, {"Pow", {0, 0}}};
    poly a, b;
    double s;
    *out = (poly){{0, value == x}};
    if (value == x)
        return true;
    *out = (poly){{0}};
    if (lip_is_scalar(value, &out->c[0]))
        return true;
    for (size_t i = 0; i < sizeof ops / sizeof *ops && depth > 0; i++) {
        const lip_node *node = lip_made_by(value, ops[i].op);
        if (!node)
            continue;
        if (node->input_count != 2 || !read_poly(node->inputs[0], x, depth - 1, &a))
            return false;
        bool by_scalar = ops[i].op[0] == 'D' || ops[i].op[0] == 'P';
        if (by_scalar && (!lip_is_scalar(node->inputs[1], &s) || s == 0))
            return false;
        if (ops[i].op[0] == 'P')
            return power(&a, s, out);
        if (by_scalar)
            b = (poly){{1 / s}};
        else if (!read_poly(node->inputs[1], x, depth - 1, &b))
            return false;
        if (ops[i].sign[0] == 0)
            return times(&a, &b, out);
        for (int k = 0; k <= DEGREE; k++)
            out->c[k] = a.c[k] + ops[i].sign[1] * b.c[k];
        return true;
    }
    return false;
}

/* The argument of a gate: k x + q x^3 + b. */
static bool read_argument(const lip_value *value, match *m)
{
    poly p;
    if (!value || !read_poly(value, m->x, DEPTH, &p) || p.c[2] != 0 || p.c[1] == 0)
        return false;
    m->b = p.c[0];
    m->k = p.c[1];
    m->q = p.c[3];
    return isfinite(m->b) && isfinite(m->k) && isfinite(m->q);
}

static bool is_sigmoid(const lip_value *value, match *m)
{
    const lip_node *node = lip_made_by(value, "Sigmoid");
    m->gate = LIP_GATE_SIGMOID;
    return node && read_argument(node->inputs[0], m) && m->b == 0 && m->q == 0;
}

static bool is_mish(const lip_value *value, match *m)
{
    const lip_node *node = lip_made_by(value, "Tanh");
    const lip_node *softplus = node ? lip_made_by(node->inputs[0], "Softplus") : NULL;
    m->gate = LIP_GATE_MISH;
    m->k = 1;
    return softplus && softplus->inputs[0] == m->x;
}

/* s + s T with T = erf or tanh. */
static bool is_one_and(const lip_value *value, match *m)
{
    const lip_node *node = lip_made_by(value, "Add");
    double s, factor = 1;
    if (!node || node->input_count != 2)
        return false;
    int scalar = lip_is_scalar(node->inputs[0], &s) ? 0 : lip_is_scalar(node->inputs[1], &s) ? 1 : -1;
    const lip_value *other = scalar < 0 ? NULL : without_factors(node->inputs[1 - scalar], &factor);
    const lip_node *erf = lip_made_by(other, "Erf"), *tanh = lip_made_by(other, "Tanh");
    if ((!erf && !tanh) || factor != s || s == 0 || !read_argument(erf ? erf->inputs[0] : tanh->inputs[0], m))
        return false;
    m->c *= s;
    m->gate = erf ? LIP_GATE_ERF : LIP_GATE_TANH;
    double r = m->q / (m->k * m->k * m->k);
    return m->b == 0 && (erf ? m->q == 0 : fabs(r - LIP_GATE_CUBIC) <= LIP_GATE_CUBIC_ROOM * LIP_GATE_CUBIC);
}

static bool is_hard_sigmoid(const lip_value *value, match *m)
{
    const lip_node *node = lip_made_by(value, "HardSigmoid");
    m->gate = LIP_GATE_HARD;
    if (!node || !read_argument(node->inputs[0], m) || m->q != 0)
        return false;
    double alpha = lip_attr_float(node, "alpha", 0.2F);
    m->b = alpha * m->b + lip_attr_float(node, "beta", 0.5F);
    m->k *= alpha;
    return m->k != 0;
}

/* One end of a Clip, an input or (before opset 11) an attribute. */
static bool read_limit(const lip_node *clip, size_t index, const char *attr, double *out)
{
    const lip_attr *limit = lip_attr_find(clip, attr);
    if (clip->opset >= 11)
        return lip_is_scalar(lip_node_input(clip, index), out);
    *out = limit && limit->kind == LIP_ATTR_FLOAT ? (double)limit->f : (double)NAN;
    return isfinite(*out);
}

/* max(0, min(m, k x + b)) = m max(0, min(1, (k x + b) / m)). */
static bool is_clip(const lip_value *value, match *m)
{
    const lip_node *node = lip_made_by(value, "Clip");
    double low, high;
    m->gate = LIP_GATE_HARD;
    if (!node || !read_limit(node, 1, "min", &low) || !read_limit(node, 2, "max", &high) || low != 0 || !(high > 0) ||
        !read_argument(node->inputs[0], m) || m->q != 0)
        return false;
    m->k /= high;
    m->b /= high;
    m->c *= high;
    return m->k != 0;
}

static bool is_gate(const lip_value *value, match *m)
{
    return is_sigmoid(value, m) || is_one_and(value, m) || is_mish(value, m) || is_hard_sigmoid(value, m) ||
           is_clip(value, m);
}

static bool is_one_plus_magnitude(const lip_value *value, const lip_value *x)
{
    const lip_node *add = lip_made_by(value, "Add");
    double s;
    for (int i = 0; add && add->input_count == 2 && i < 2; i++) {
        const lip_node *magnitude = lip_made_by(add->inputs[i], "Abs");
        if (magnitude && magnitude->inputs[0] == x && lip_is_scalar(add->inputs[1 - i], &s) && s == 1)
            return lip_shape_equal(&value->shape, &x->shape);
    }
    return false;
}

static void fuse_softsign(lip_node *node)
{
    if (!is_one_plus_magnitude(node->inputs[1], node->inputs[0]))
        return;
    node->input_count = 1;
    node->attr_count = 0;
    node->op = lip_op_find("", "Softsign");
    node->op_type = node->op->name;
}

lip_status lip_fuse_gate(lip_draft *draft, lip_node *node, lip_error *error)
{
    match m = {0};
    bool found = false;
    if (strcmp(node->op_type, "Div") == 0)
        fuse_softsign(node);
    if (strcmp(node->op_type, "Mul") != 0)
        return LIP_OK;
    for (int i = 0; i < 2 && !found; i++) {
        m = (match){.c = 1};
        m.x = without_factors(node->inputs[i], &m.c);
        const lip_value *gate = without_factors(node->inputs[1 - i], &m.c);
        found = m.x->varies && m.x->shape_known && lip_dtype_is_real(m.x->dtype) && is_gate(gate, &m) &&
                m.c != 0 && isfinite(m.c) && lip_shape_equal(&m.x->shape, &node->outputs[0]->shape);
    }
    if (!found)
        return LIP_OK;
    const lip_attr attr = {.name = "gate", .kind = LIP_ATTR_INT, .i = m.gate};
    lip_value *constants = lip_draft_reals(draft, node->outputs[0], (double[]){m.c, m.k, m.q, m.b}, 4);
    return lip_fuse_into(draft, node, &lip_op_gate, (lip_value *)m.x, constants, &attr, 1, error);
}
